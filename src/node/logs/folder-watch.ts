import { existsSync, type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock, Timer } from '../../base/clock.ts';

/** How often `wake` is called if no watch can be created, since inotify's limit per user is reached. */
const POLL_MS = 500;

/** The kind of change: `files` were created, renamed or removed, or the `content` of a file changed. */
export type FolderChange = 'files' | 'content';

/**
 * Calls `wake` whenever something in a folder may have changed. The folder need not exist: until it does, the
 * nearest existing parent is watched, and again after the folder is removed. A Pod's log folder appears only with
 * the first line that a container writes.
 */
export class FolderWatch {
	readonly #folder: string;
	readonly #wake: (change: FolderChange) => void;
	readonly #clock: Clock;
	#watcher: FSWatcher | undefined;
	/** The folder that is watched now: the wanted one or its nearest existing parent. */
	#watched = '';
	#poll: Timer | undefined;
	#isClosed = false;

	/** Starts watching; the caller calls {@link close}. */
	constructor(folder: string, clock: Clock, wake: (change: FolderChange) => void) {
		this.#folder = folder;
		this.#wake = wake;
		this.#clock = clock;
		this.#arm();
	}

	/** Stops watching: `wake` is not called again. */
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
			// A nearer folder may have been created before the watch was: its events were missed, so start over.
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
