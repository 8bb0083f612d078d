/**
 * Termination messages: the end of the file at a container's terminationMessagePath or, with the policy
 * `FallbackToLogsOnError`, of its log becomes the `message` of its terminated state. Follows `getTerminationMessage` and
 * `readLastStringFromContainerLogs` in kuberuntime_container.go. plan/pod/status/termination-message.ts
 * decides which containers need one.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { codeOf, isMissing } from '../../base/files/system-error.ts';
import { type Attempt, allContainersOf } from '../../plan/pod/snapshot.ts';
import {
	MOST_FILE_BYTES,
	messageOfLog,
	takesMessageFromFile,
	takesMessageFromLog,
	withMessage,
} from '../../plan/pod/status/termination-message.ts';
import type { RuntimeContainer } from '../../runtime/contract.ts';
import { CriLogParser } from '../logs/cri-log-parser.ts';
import type { PodInputs } from './inputs.ts';

/**
 * How much of the end of a log is read. It always contains 80 lines or 2,048 bytes of text: a log entry has about 45
 * bytes beside its text, and at most 16 KiB of text.
 */
const TAIL_BYTES = 64 * 1024;

type MessageFiles = Pick<PodInputs, 'messageFile' | 'privateMessage'>;

/** The container attempts of a Pod, by container name. */
type Attempts = ReadonlyMap<string, readonly Attempt[]>;

/**
 * Reads and caches the termination messages of exited containers, synchronously: the end of a file costs less than its way
 * through the thread pool. Each file is read once, after its container has exited: it is complete then, and may be removed
 * before the Pod is.
 */
export class TerminationMessages {
	/** The text by container id, by Pod UID. */
	readonly #texts = new Map<string, Map<string, string>>();
	readonly #traits: RuntimeTraits;
	readonly #files: MessageFiles;

	constructor(traits: RuntimeTraits, files: MessageFiles) {
		this.#traits = traits;
		this.#files = files;
	}

	/** The attempts with their messages. `containers` are the runtime's containers of the Pod, by id. */
	async addTo(
		{ metadata: { uid = '' }, spec }: Pod,
		attempts: Attempts,
		containers: ReadonlyMap<string, RuntimeContainer> | undefined,
	): Promise<Attempts> {
		const completed = new Map(attempts);
		for (const container of allContainersOf(spec)) {
			const own = attempts.get(container.name) ?? [];
			const sources = own.map((attempt) => ({
				file: takesMessageFromFile(container, attempt, this.#traits),
				log: takesMessageFromLog(container, attempt),
			}));
			if (!sources.some(({ file, log }) => file || log)) continue;
			const texts = own.map(async (attempt, index) => {
				const from = sources[index];
				if (!from?.file && !from?.log) return attempt;
				return withMessage(attempt, await this.#textOf(uid, containers?.get(attempt.id), from), spec);
			});
			completed.set(container.name, await Promise.all(texts));
		}
		this.#forgetPruned(uid, containers);
		return completed;
	}

	/** Removes the cached messages of the Pod. */
	forget(podUid: string): void {
		this.#texts.delete(podUid);
	}

	/** Removes the messages of attempts that were removed from the runtime: a container may restart for weeks. */
	#forgetPruned(podUid: string, containers: ReadonlyMap<string, RuntimeContainer> | undefined): void {
		const texts = this.#texts.get(podUid);
		for (const id of texts?.keys() ?? []) if (!containers?.has(id)) texts?.delete(id);
	}

	async #textOf(
		podUid: string,
		container: RuntimeContainer | undefined,
		{ file, log }: { readonly file: boolean; readonly log: boolean },
	): Promise<string> {
		if (!container) return '';
		const texts = this.#texts.get(podUid) ?? new Map<string, string>();
		this.#texts.set(podUid, texts);
		const known = texts.get(container.id);
		if (known !== undefined) return known;
		const path = file ? this.#files.messageFile(podUid, container.name, container.attempt) : undefined;
		const written = path === undefined ? '' : await this.#messageFromFile(path);
		const text =
			written !== '' || !log
				? written
				: await messageFromLog(container.logPath).catch(
						(error: unknown) => `Error on reading termination message from logs: ${String(error)}`,
					);
		texts.set(container.id, text);
		return text;
	}

	/** The end of the file to which the container has written its message; empty if there is none. */
	async #messageFromFile(path: string): Promise<string> {
		try {
			return tailOf(path, MOST_FILE_BYTES).toString('utf8');
		} catch (error) {
			const text = codeOf(error) === 'EACCES' ? await this.#files.privateMessage(path) : undefined;
			if (text !== undefined) return Buffer.from(text).subarray(-MOST_FILE_BYTES).toString('utf8');
			return `Error on reading termination log ${path}: ${String(error)}`;
		}
	}
}

/**
 * The end of a container's log as its termination message: the text of the last 80 lines, at most 2,048 bytes. Empty
 * if there is no log. If the current file is short because of a rotation, the newest rotated part is read as well.
 */
export async function messageFromLog(logPath: string): Promise<string> {
	const current = tailOf(logPath);
	const older = current.length < TAIL_BYTES ? await lastPartBefore(logPath) : undefined;
	const before = older === undefined ? Buffer.alloc(0) : tailOf(older);
	return messageOfLog(new CriLogParser().push(wholeLines(Buffer.concat([before, current]))));
}

const NEWLINE = Buffer.from('\n');

/** The last {@link TAIL_BYTES}, without the first line, which may be incomplete. */
function wholeLines(bytes: Buffer): Buffer {
	if (bytes.length < TAIL_BYTES) return bytes;
	const tail = bytes.subarray(-TAIL_BYTES);
	return tail.subarray(tail.indexOf(NEWLINE) + 1);
}

function tailOf(path: string, mostBytes = TAIL_BYTES): Buffer {
	let file: number | undefined;
	try {
		// The container may have written the file: a link out of the folder is not followed.
		file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
		const { size } = fstatSync(file);
		const bytes = Buffer.alloc(Math.min(size, mostBytes));
		return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, size - bytes.length));
	} catch (error) {
		if (isMissing(error)) return Buffer.alloc(0);
		throw error;
	} finally {
		if (file !== undefined) closeSync(file);
	}
}

/** The newest rotated part: `<path>.<number of lines before>`; the names sort by age. */
async function lastPartBefore(path: string): Promise<string | undefined> {
	const prefix = `${basename(path)}.`;
	try {
		const parts = (await readdir(dirname(path))).filter((name) => name.startsWith(prefix));
		const last = parts.sort().at(-1);
		return last === undefined ? undefined : join(dirname(path), last);
	} catch (error) {
		if (isMissing(error)) return undefined;
		throw error;
	}
}
