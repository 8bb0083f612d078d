/** The settings of a runtime about the logs of its containers. */
export interface LogLimits {
	/** Size in bytes at which a log file is rotated, as the kubelet's containerLogMaxSize. Default 10 MiB. */
	readonly logMaxBytes?: number;
	/** Maximum number of log files per container, as the kubelet's containerLogMaxFiles. Default 5. */
	readonly logMaxFiles?: number;
}

/** The settings with their defaults. */
export function withLogDefaults({ logMaxBytes = 10 << 20, logMaxFiles = 5 }: LogLimits): Required<LogLimits> {
	return { logMaxBytes, logMaxFiles };
}
