//! Disks to be cut off, filled up and looked at: ext4 on a loop device whose image lies in memory,
//! and small file systems in memory.
//!
//! What was not synced is not in the image: the kernel holds it back. So a copy of the image, taken
//! while a program writes, is what a power cut at that instant would have left, give or take the
//! milliseconds that the copy takes. That finds missing syncs; it proves nothing about a disk that
//! lies.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::guardian::Guardian;
use crate::tool::{call, need_root};
use crate::trouble::{Rig, While as _};

/// `$1` is the folder with everything in it. What is mounted last is in the way of the rest.
const CLEAR: &str = r#"
while mounted=$(awk -v at="$1/" 'index($2 "/", at) == 1 { last = $2 } END { print last }' /proc/mounts) \
    && [ -n "$mounted" ]; do
    umount "$mounted" || umount -l "$mounted" || break
done
rm -rf --one-file-system "$1"
"#;

/// A file system in memory of a given size, for a disk that fills up.
#[derive(Debug)]
pub struct SmallDisk {
    folder: Folder,
}

/// An ext4 file system whose image can be copied at any time.
#[derive(Debug)]
pub struct Disk {
    folder: Arc<Folder>,
    copies: u32,
}

/// What a power cut left: the copy of the image, mounted.
#[derive(Debug)]
pub struct Remains {
    at: PathBuf,
    image: PathBuf,
    /// The folder stays as long as a copy of it is in use.
    _folder: Arc<Folder>,
}

impl SmallDisk {
    /// Makes a disk of so many MiB.
    ///
    /// # Errors
    /// Without root, or when the kernel refuses.
    pub fn make(mebibytes: u32) -> Rig<Self> {
        let folder = Folder::make()?;
        mount_memory(&folder.path("disk")?, mebibytes)?;
        Ok(Self { folder })
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.folder.root.join("disk")
    }
}

impl Disk {
    /// Makes a disk of so many MiB.
    ///
    /// # Errors
    /// Without root or loop devices, or when the kernel refuses.
    pub fn make(mebibytes: u32) -> Rig<Self> {
        let folder = Folder::make()?;
        // Room for the image, one copy, and what the copy's own file system writes.
        mount_memory(&folder.path("memory")?, mebibytes * 3)?;
        let disk = Self { folder: Arc::new(folder), copies: 0 };
        let image = disk.image();
        let file = fs::File::create(&image).or_trouble("making a disk image")?;
        file.set_len(u64::from(mebibytes) << 20).or_trouble("sizing a disk image")?;
        call("mkfs.ext4", &["-q", "-F", &text(&image)])?;
        mount_image(&image, &disk.folder.path("disk")?)?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.folder.root.join("disk")
    }

    /// Pulls the plug of a twin: copies the image as it is now and mounts the copy. The disk
    /// itself goes on.
    ///
    /// # Errors
    /// When the copy can not be made or does not mount.
    pub fn cut(&mut self) -> Rig<Remains> {
        self.copies += 1;
        let image = self.folder.root.join("memory").join(format!("copy-{}", self.copies));
        call("cp", &["--sparse=always", &text(&self.image()), &text(&image)])?;
        let at = self.folder.path(&format!("remains-{}", self.copies))?;
        mount_image(&image, &at)?;
        Ok(Remains { at, image, _folder: Arc::clone(&self.folder) })
    }

    fn image(&self) -> PathBuf {
        self.folder.root.join("memory/image")
    }
}

impl Remains {
    /// Where the copy is mounted.
    pub fn path(&self) -> &Path {
        &self.at
    }
}

impl Drop for Remains {
    fn drop(&mut self) {
        // What stays behind is cleared with the folder.
        drop(call("umount", &[&text(&self.at)]));
        drop(fs::remove_file(&self.image));
    }
}

/// A folder whose mounts are undone before it is removed.
#[derive(Debug)]
struct Folder {
    root: PathBuf,
    _guardian: Guardian,
}

impl Folder {
    fn make() -> Rig<Self> {
        need_root("a disk of our own")?;
        let root = TempDir::with_prefix("beistand-disk-").or_trouble("making a folder")?.keep();
        let guardian = Guardian::over(CLEAR, &[&text(&root)])?;
        Ok(Self { root, _guardian: guardian })
    }

    fn path(&self, name: &str) -> Rig<PathBuf> {
        let path = self.root.join(name);
        fs::create_dir(&path).or_trouble(&format!("making {}", path.display()))?;
        Ok(path)
    }
}

fn mount_memory(at: &Path, mebibytes: u32) -> Rig<()> {
    let size = format!("size={mebibytes}m");
    call("mount", &["-t", "tmpfs", "-o", &size, "beistand-tests", &text(at)]).map(drop)
}

fn mount_image(image: &Path, at: &Path) -> Rig<()> {
    call("mount", &["-t", "ext4", "-o", "loop", &text(image), &text(at)]).map(drop)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
