import type { Pod } from '../../api/core/pod/schema.ts';
import type { Clock } from '../../base/clock.ts';
import type { NeverStarted } from '../../plan/pod/never-starts.ts';
import type { Connection } from '../context.ts';
import type { LogView } from './followed-pods.ts';
import type { Screen } from './terminal.ts';

/** Follows a Job, or a Pod without a Job, from its creation until it finishes. */
export interface Follower {
	/** Name in messages: `job/pi`. */
	readonly title: string;
	/** Resolves once it has finished and all of its logs are printed. Never rejects. */
	readonly ended: Promise<RunOutcome>;
	/** Progress for the status line; undefined once it has finished. */
	progress(): string | undefined;
	/** Resolves once all of its Pods are deleted. */
	podsGone(): Promise<void>;
	/** Its Pods, deleted ones included, in their last observed state. */
	pods(): readonly Pod[];
}

/** How a Job or Pod finished, or why the run does not wait for it any longer. */
export interface RunOutcome {
	/** `stuck`: it has not finished, and cannot succeed as it is; `futile`: it cannot even fail. */
	readonly verdict: 'complete' | 'failed' | 'deleted' | 'stuck' | 'futile';
	/** The report for the user, one line or several, without a final newline. */
	readonly text: string;
	/** 0 if complete; the exit code of the container that failed last, if known; else 1. */
	readonly exitCode: number;
}

/** Options of following a Job or Pod. */
export interface FollowerOptions {
	readonly connection: Connection;
	readonly clock: Clock;
	readonly screen: Screen;
	readonly view: LogView;
	/** Connects to a container that runs; see ContainerInput.connect. Undefined: the logs are all that is printed. */
	readonly connect?: ((pod: Pod, container: string) => Promise<boolean>) | undefined;
	/** The hint printed, besides the message of the node agent, if an image stands for no program. */
	readonly imageHint?: string | undefined;
	/** Whether the user has interrupted the run, which then deletes the objects that it created. */
	readonly isInterrupted?: () => boolean;
	/**
	 * Whether this run created the object. Its watches then start at the object's resourceVersion without a list;
	 * otherwise the object may already have Pods and Events.
	 */
	readonly created: boolean;
	/** Stops following; {@link Follower.ended} then stays pending. */
	readonly signal: AbortSignal;
	/** The informers call it with each error before they retry. */
	readonly onError: (error: unknown) => void;
	/** The follower calls it whenever {@link Follower.progress} may have changed. */
	readonly onProgress: () => void;
}

/** The outcome of what cannot succeed, since a container is never started. Its logs need not end. */
export function stuckOutcome(title: string, { container, isOnly }: NeverStarted): RunOutcome {
	return {
		verdict: isOnly ? 'futile' : 'stuck',
		text: `${title} cannot succeed: its container ${container} is never started`,
		exitCode: 1,
	};
}
