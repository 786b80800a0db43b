//! The one test binary: what must hold of the whole, against real servers where the world is
//! meant. What one crate can prove alone stands beside its code.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod broken;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod playbooks;
#[cfg(test)]
mod rigs;
#[cfg(test)]
mod simulation;
