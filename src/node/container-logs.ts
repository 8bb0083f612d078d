import { dirname } from 'node:path';
import type { ContainerStatus, Pod } from '../api/core/pod/schema.ts';
import { badRequest } from '../api/meta/api-error.ts';
import type { ContainerLogRequest } from '../api/meta/node-api.ts';
import { timeOf } from '../api/meta/time.ts';
import type { Clock } from '../base/clock.ts';
import { FolderWatch } from './folder-watch.ts';
import type { LogFiles } from './log-files.ts';
import type { LogLine } from './log-lines.ts';
import { LogReader } from './log-reader.ts';
import type { RuntimeView } from './runtime-view.ts';

/** What the logs of a node's containers are read with. */
export interface ContainerLogsOptions {
	readonly files: LogFiles;
	readonly view: RuntimeView;
	readonly clock: Clock;
}

/** Serves the logs of containers, also while they are being written. */
export class ContainerLogs {
	readonly #options: ContainerLogsOptions;
	/** Those who follow a log, by Pod; called when a container of it changes. */
	readonly #followers = new Map<string, Set<() => void>>();

	constructor(options: ContainerLogsOptions) {
		this.#options = options;
	}

	/** Tells the followers that a container of the Pod has changed, so that they see its end. */
	wake(podUid: string): void {
		for (const follower of this.#followers.get(podUid) ?? []) follower();
	}

	/** The log that `request` asks for. Rejects with BadRequest where there is none. */
	async read(pod: Pod, request: ContainerLogRequest): Promise<AsyncIterable<Uint8Array>> {
		const attempt = this.#attemptOf(pod, request);
		const path = this.#options.files.pathOf(pod, request.container, attempt);
		const from = this.#earliest(request);
		const wanted = (line: LogLine): boolean => from === undefined || (timeOf(line.time) ?? 0) >= from;
		return limited(this.#text(pod, { path, attempt, request, wanted }), request.limitBytes);
	}

	#attemptOf(pod: Pod, { container, previous }: ContainerLogRequest): number {
		const { containerStatuses = [], initContainerStatuses = [] } = pod.status;
		const status = [...containerStatuses, ...initContainerStatuses].find(({ name }) => name === container);
		const known = this.#options.view
			.attemptsOf(pod.metadata.uid ?? '')
			.get(container)
			?.at(-1);
		const attempt = known?.attempt ?? status?.restartCount ?? 0;
		if (!previous) return attempt;
		// While a container waits for its next start, its last run is not yet the previous one.
		const earlier = known?.state === 'exited' && waits(status) ? attempt : attempt - 1;
		if (earlier >= 0) return earlier;
		const { name = '' } = pod.metadata;
		throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
	}

	#earliest({ sinceSeconds, sinceTime }: ContainerLogRequest): number | undefined {
		if (sinceTime !== undefined) return timeOf(sinceTime);
		return sinceSeconds === undefined ? undefined : this.#options.clock.now() - sinceSeconds * 1000;
	}

	async *#text(pod: Pod, what: Reading): AsyncGenerator<Uint8Array> {
		const { path, request, wanted } = what;
		const reader = new LogReader(path);
		const print = printer(request.timestamps);
		const changes = request.follow ? this.#follow(pod, what) : undefined;
		try {
			// Whether it has ended is asked before the read: what was written by then is then read.
			let ended = !changes || changes.hasEnded();
			const tail = new Tail(request.tailLines);
			for await (const lines of reader.read()) {
				const shown = lines.filter(wanted);
				if (tail.limit === undefined) yield* print(shown);
				else tail.push(shown);
			}
			yield* print(tail.lines());
			while (changes && !ended && !request.signal.aborted) {
				await changes.next();
				ended = changes.hasEnded();
				for await (const lines of reader.read()) yield* print(lines.filter(wanted));
			}
		} finally {
			changes?.stop();
			await reader.close();
		}
	}

	/** Watches a log's folder and its container; `next` resolves when either has changed. */
	#follow(pod: Pod, { path, attempt, request }: Reading): Following {
		const uid = pod.metadata.uid ?? '';
		let changed = Promise.withResolvers<void>();
		const wake = (): void => changed.resolve();
		const watcher = new FolderWatch(dirname(path), this.#options.clock, wake);
		const followers = this.#followers.get(uid) ?? new Set();
		this.#followers.set(uid, followers.add(wake));
		request.signal.addEventListener('abort', wake, { once: true });
		return {
			next: async () => {
				await changed.promise;
				changed = Promise.withResolvers<void>();
			},
			hasEnded: () => {
				const attempts = this.#options.view.attemptsOf(uid).get(request.container) ?? [];
				const own = attempts.find((each) => each.attempt === attempt);
				return own === undefined || own.state === 'exited';
			},
			stop: () => {
				watcher.close();
				followers.delete(wake);
				if (followers.size === 0) this.#followers.delete(uid);
				request.signal.removeEventListener('abort', wake);
			},
		};
	}
}

interface Reading {
	readonly path: string;
	readonly attempt: number;
	readonly request: ContainerLogRequest;
	wanted(line: LogLine): boolean;
}

interface Following {
	next(): Promise<void>;
	hasEnded(): boolean;
	stop(): void;
}

function waits(status: ContainerStatus | undefined): boolean {
	return status?.state?.waiting !== undefined;
}

/** Keeps the last lines; a line that was cut into parts is one. */
class Tail {
	readonly limit: number | undefined;
	#kept: LogLine[][] = [];
	#open = false;

	constructor(limit: number | undefined) {
		this.limit = limit;
	}

	push(lines: readonly LogLine[]): void {
		for (const line of lines) {
			if (this.#open) this.#kept.at(-1)?.push(line);
			else this.#kept.push([line]);
			this.#open = line.partial;
		}
		if (this.#kept.length > 2 * (this.limit ?? 0) + 1000) this.#kept = this.#last();
	}

	lines(): readonly LogLine[] {
		return this.#last().flat();
	}

	#last(): LogLine[][] {
		return this.limit ? this.#kept.slice(-this.limit) : [];
	}
}

const NEWLINE = Buffer.from('\n');

/** Turns lines into the bytes that clients see; the parts of a line are put together again. */
function printer(timestamps: boolean): (lines: readonly LogLine[]) => Generator<Uint8Array> {
	const openStreams = new Set<string>();
	return function* print(lines) {
		const pieces: Uint8Array[] = [];
		for (const { time, stream, partial, text } of lines) {
			if (timestamps && !openStreams.has(stream)) pieces.push(Buffer.from(`${time} `));
			pieces.push(text);
			if (partial) openStreams.add(stream);
			else {
				openStreams.delete(stream);
				pieces.push(NEWLINE);
			}
		}
		if (pieces.length > 0) yield Buffer.concat(pieces);
	};
}

/** At most so many bytes of `pieces`. */
async function* limited(
	pieces: AsyncIterable<Uint8Array>,
	limitBytes: number | undefined,
): AsyncGenerator<Uint8Array> {
	let left = limitBytes ?? Number.POSITIVE_INFINITY;
	for await (const piece of pieces) {
		yield piece.length <= left ? piece : piece.subarray(0, left);
		left -= piece.length;
		if (left <= 0) return;
	}
}
