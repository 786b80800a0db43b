//! The world the suites run in: real servers on this machine, each set up by the test that needs
//! it and gone with it, however the test ends.
