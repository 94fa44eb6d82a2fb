"""配置 Settings and composition, nothing else."""
