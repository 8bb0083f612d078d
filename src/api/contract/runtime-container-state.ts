/**
 * The state of a container as a runtime reports it and as the rules of `plan/pod` read it. Times are in ms since
 * the epoch.
 */
export type RuntimeContainerState =
	| { readonly state: 'created' }
	| { readonly state: 'running'; readonly startedAt: number }
	| {
			readonly state: 'exited';
			/** Absent if the process never ran. */
			readonly startedAt?: number;
			readonly finishedAt: number;
			/** 128 + the signal number if a signal ended the process. */
			readonly exitCode: number;
			readonly signal?: number;
			/** One of `Completed`, `Error`, `OOMKilled`, `StartError`, `ContainerStatusUnknown`. */
			readonly reason: string;
			readonly message?: string;
	  };
