import type { Pod } from '../../api/core/pod/schema.ts';
import type { Clock } from '../../base/clock.ts';
import type { Connection } from '../context.ts';
import type { LogView } from './followed-pods.ts';
import type { Screen } from './screen.ts';

/** A Job, or a Pod of its own, that is followed from its creation to its end. */
export interface Followed {
	/** `job/pi` */
	readonly title: string;
	/** Resolves once it has ended and all of its logs were shown. Never rejects. */
	readonly ended: Promise<Outcome>;
	/** How it is getting on, for the line at the bottom; undefined once it has ended. */
	progress(): string | undefined;
	/** Resolves once none of its Pods is left. */
	podsGone(): Promise<void>;
	/** Its Pods as they were seen last. */
	pods(): readonly Pod[];
}

/** How a run of something ended. */
export interface Outcome {
	readonly verdict: 'complete' | 'failed' | 'deleted';
	/** In words, a line or several. */
	readonly text: string;
	/** 0 when complete; the exit code of the container that failed last, where one is known; else 1. */
	readonly exitCode: number;
}

/** What is needed to follow something. */
export interface FollowOptions {
	readonly connection: Connection;
	readonly clock: Clock;
	readonly screen: Screen;
	readonly view: LogView;
	/** What the user can do if no program stands for an image, beside what the node says. */
	readonly imageHint?: string | undefined;
	/** Whether the run deletes what it has made, since the user has interrupted it. */
	readonly isTakenBack?: () => boolean;
	/** Whether the object was created just now; otherwise it may have a past. */
	readonly created: boolean;
	/** Ends the following; {@link Followed.ended} then stays pending. */
	readonly signal: AbortSignal;
	/** Told of each time the server could not be reached, before it is tried again. */
	readonly onError: (error: unknown) => void;
	/** Called whenever {@link Followed.progress} may have changed. */
	readonly onProgress: () => void;
}
