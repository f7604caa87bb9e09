"""Parts of a run for machines without a shared folder, and how they become one."""
