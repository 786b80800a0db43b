//! The laws of the machine, one by one: what every kind of step does, in which order things happen
//! at a step, and who may let what go on. The simulation plays them together.

mod cases;
mod desk;
mod gates;
mod hand;
mod holds;
mod people;
mod restored;
mod retries;
mod steps;
mod takeover;
mod undo;
mod voters;
