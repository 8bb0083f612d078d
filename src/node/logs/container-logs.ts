import type { ContainerLogRequest } from '../../api/contract/node-api.ts';
import type { ContainerStatus, Pod } from '../../api/core/pod/schema.ts';
import { badRequest } from '../../api/errors/api-error.ts';
import { timeOf } from '../../api/meta/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { RuntimeView } from '../pods/runtime-view.ts';
import type { LogLine } from './cri-log-parser.ts';
import type { LogFiles } from './log-files.ts';
import { LogFollower } from './log-follower.ts';
import { LogReader, ReadAhead } from './log-reader.ts';
import { LogTail, LogText, limited } from './log-text.ts';

/** The components of {@link ContainerLogs}. */
export interface ContainerLogsOptions {
	readonly files: LogFiles;
	readonly view: RuntimeView;
	readonly clock: Clock;
}

/**
 * How many rotated parts all followers of a node together may keep open ahead of what they read. With the default
 * part size of 10 MiB, a single follower may be 320 MiB behind its container before it misses lines.
 */
const MOST_PARTS_AHEAD = 32;

/**
 * Serves the logs of containers, as `GetContainerLogs` of the kubelet does: the whole log, its last lines, or what
 * is written until the container exits (`follow`).
 */
export class ContainerLogs {
	readonly #options: ContainerLogsOptions;
	readonly #readAhead = new ReadAhead(MOST_PARTS_AHEAD);
	/** The `follow` requests in progress, by Pod UID. */
	readonly #followings = new Map<string, Set<Following>>();

	constructor(options: ContainerLogsOptions) {
		this.#options = options;
	}

	/** Wakes the followers of the Pod, which then check whether their container has exited. */
	wake(podUid: string): void {
		for (const { follower } of this.#followings.get(podUid) ?? []) follower.wake();
	}

	/**
	 * The bytes of the log that `request` selects. Rejects with BadRequest if it selects a previous attempt that does
	 * not exist. A container that has not started has an empty log.
	 */
	async read(pod: Pod, request: ContainerLogRequest): Promise<AsyncIterable<Uint8Array>> {
		const attempt = this.#attemptOf(pod, request);
		const path = this.#options.files.pathOf(pod, request.container, attempt);
		const reading: Reading = { podUid: pod.metadata.uid ?? '', path, attempt, request };
		return limited(request.follow ? this.#follow(reading) : this.#text(reading), request.limitBytes);
	}

	/** Removes all logs of a Pod whose containers are removed. Followers still read them to their end. */
	async remove(podUid: string): Promise<void> {
		await this.#claim(podUid);
		await this.#options.files.remove(podUid);
	}

	/** Removes the log of one exited container attempt. Followers still read it to its end. */
	async removeAttempt(pod: Pod, container: string, attempt: number): Promise<void> {
		await this.#claim(pod.metadata.uid ?? '');
		await this.#options.files.removeAttempt(pod, container, attempt);
	}

	/** Has the followers of the Pod open all parts of their logs before the files are removed. */
	async #claim(podUid: string): Promise<void> {
		// A failure is not lost: the follower's next read meets it again.
		const claims = [...(this.#followings.get(podUid) ?? [])].map(({ reader }) => reader.claim());
		await Promise.allSettled(claims);
	}

	/** The attempt that the request selects: the latest, or with `previous` the one before the current one. */
	#attemptOf(pod: Pod, { container, previous }: ContainerLogRequest): number {
		const { containerStatuses = [], initContainerStatuses = [] } = pod.status;
		const status = [...containerStatuses, ...initContainerStatuses].find(({ name }) => name === container);
		const known = this.#options.view
			.attemptsOf(pod.metadata.uid ?? '')
			.get(container)
			?.at(-1);
		const attempt = known?.attempt ?? status?.restartCount ?? 0;
		if (!previous) return attempt;
		// While a container waits for its restart, `previous` means the attempt that has just exited: there is no
		// current one, and the status says `waiting` (upstream: `validateContainerLogStatus`).
		const earlier = known?.state === 'exited' && waits(status) ? attempt : attempt - 1;
		if (earlier >= 0) return earlier;
		const { name = '' } = pod.metadata;
		throw badRequest(`previous terminated container "${container}" in pod "${name}" not found`);
	}

	/** The time before which lines are skipped, in ms since the epoch; undefined if the request sets none. */
	#earliest({ sinceSeconds, sinceTime }: ContainerLogRequest): number | undefined {
		if (sinceTime !== undefined) return timeOf(sinceTime);
		return sinceSeconds === undefined ? undefined : this.#options.clock.now() - sinceSeconds * 1000;
	}

	async *#text({ path, request }: Reading): AsyncGenerator<Uint8Array> {
		const reader = this.#reader(path);
		try {
			yield* this.#initialText(reader, this.#textOf(request), request);
		} finally {
			await reader.close();
		}
	}

	async *#follow(reading: Reading): AsyncGenerator<Uint8Array> {
		const { podUid, path, request } = reading;
		const reader = this.#reader(path);
		const { clock } = this.#options;
		const follower = new LogFollower({ path, reader, clock, signal: request.signal });
		const following = { reader, follower };
		const followings = this.#followings.get(podUid) ?? new Set();
		this.#followings.set(podUid, followings.add(following));
		const text = this.#textOf(request);
		try {
			// Checked before each read: the log is complete when the exit is reported, so the read after it is the last.
			let ended = this.#hasEnded(reading);
			yield* this.#initialText(reader, text, request);
			while (!ended && !request.signal.aborted) {
				await follower.next();
				ended = this.#hasEnded(reading);
				for await (const piece of reader.read()) yield text.push(piece);
			}
		} finally {
			follower.stop();
			followings.delete(following);
			if (followings.size === 0) this.#followings.delete(podUid);
			await reader.close();
		}
	}

	/** The text that the log has now, or its last `tailLines` lines. */
	async *#initialText(
		reader: LogReader,
		text: LogText,
		{ tailLines, follow }: ContainerLogRequest,
	): AsyncGenerator<Uint8Array> {
		const pieces = reader.read({ toPresentEnd: !follow || tailLines !== undefined });
		if (tailLines === undefined) {
			for await (const piece of pieces) yield text.push(piece);
			return;
		}
		const tail = new LogTail(tailLines, text);
		for await (const piece of pieces) tail.push(piece);
		yield* tail.take();
	}

	#textOf(request: ContainerLogRequest): LogText {
		const from = this.#earliest(request);
		const wants = (line: LogLine): boolean => from === undefined || (timeOf(line.time) ?? 0) >= from;
		return new LogText({ timestamps: request.timestamps, ...(from !== undefined && { wants }) });
	}

	#reader(path: string): LogReader {
		return new LogReader(path, { clock: this.#options.clock, readAhead: this.#readAhead });
	}

	#hasEnded({ podUid, attempt, request }: Reading): boolean {
		const attempts = this.#options.view.attemptsOf(podUid).get(request.container) ?? [];
		const own = attempts.find((each) => each.attempt === attempt);
		return own === undefined || own.state === 'exited';
	}
}

/** A log request, resolved to a container attempt and its log file. */
interface Reading {
	readonly podUid: string;
	readonly path: string;
	readonly attempt: number;
	readonly request: ContainerLogRequest;
}

interface Following {
	readonly reader: LogReader;
	readonly follower: LogFollower;
}

function waits(status: ContainerStatus | undefined): boolean {
	return status?.state?.waiting !== undefined;
}
