//! The one test binary: what must hold of the whole, against real servers where the world is
//! meant. What one crate can prove alone stands beside its code.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod broken;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod campaign;
#[cfg(test)]
mod command;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod hosts;
#[cfg(test)]
mod init;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod newcomer;
#[cfg(test)]
mod people;
#[cfg(test)]
mod playbooks;
#[cfg(test)]
mod power;
#[cfg(test)]
mod restore;
#[cfg(test)]
mod rigs;
#[cfg(test)]
mod screens;
#[cfg(test)]
mod server;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod staff;
#[cfg(test)]
mod tamper;
#[cfg(test)]
mod telemetry;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod timeline;
#[cfg(test)]
mod verbs;
#[cfg(test)]
mod ways_out;
