import { existsSync, type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../base/clock.ts';

/** How often `wake` is called where the system has no watches left to give (inotify's limit). */
const POLL_MS = 500;

/** What may have changed: which files there are, or what is in them. */
export type FolderChange = 'files' | 'content';

/**
 * Calls `wake` whenever something in a folder may have changed. The folder need not exist: until it does,
 * the nearest folder above it is watched, and when it is removed, that one is watched again.
 */
export class FolderWatch {
	readonly #folder: string;
	readonly #wake: (change: FolderChange) => void;
	readonly #clock: Clock;
	#watcher: FSWatcher | undefined;
	/** The folder that is watched at the moment. */
	#watched = '';
	#poll: Timer | undefined;
	#isClosed = false;

	/** Begins at once. */
	constructor(folder: string, clock: Clock, wake: (change: FolderChange) => void) {
		this.#folder = folder;
		this.#wake = wake;
		this.#clock = clock;
		this.#arm();
	}

	/** Ends it. */
	close(): void {
		this.#isClosed = true;
		this.#watcher?.close();
		this.#poll?.cancel();
	}

	#arm(): void {
		this.#watcher?.close();
		let folder = this.#folder;
		for (;;) {
			this.#watched = folder;
			this.#watcher = this.#watchFolder(folder);
			const nearest = nearestFolder(this.#folder);
			// It is there, or a nearer one has come meanwhile.
			if (nearest === folder) break;
			this.#watcher?.close();
			folder = nearest;
		}
		if (!this.#watcher) this.#startPolling();
	}

	#watchFolder(folder: string): FSWatcher | undefined {
		try {
			const onEvent = (event: string): void => this.#changed(event === 'change' ? 'content' : 'files');
			return watch(folder, onEvent).on('error', () => this.#changed('files'));
		} catch {
			return undefined;
		}
	}

	#changed(change: FolderChange): void {
		if (this.#isClosed) return;
		if (nearestFolder(this.#folder) !== this.#watched) this.#arm();
		this.#wake(change);
	}

	#startPolling(): void {
		this.#poll?.cancel();
		this.#poll = this.#clock.setTimer(POLL_MS, () => {
			this.#startPolling();
			this.#wake('files');
		});
	}
}

/** The folder itself, or the first one above it that exists. */
function nearestFolder(folder: string): string {
	let path = folder;
	while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
	return path;
}
