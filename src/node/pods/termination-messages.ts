/**
 * Termination messages from logs (`terminationMessagePolicy: FallbackToLogsOnError`): the end of a failed container's
 * log becomes the `message` of its terminated state. Follows `getTerminationMessage` and
 * `readLastStringFromContainerLogs` in kuberuntime_container.go. plan/pod/termination-message.ts decides which containers need one.
 */
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Pod } from '../../api/core/pod/schema.ts';
import { isMissing } from '../../base/files/system-error.ts';
import type { Attempt } from '../../plan/pod/snapshot.ts';
import { messageOfLog, takesMessageFromLog, withMessage } from '../../plan/pod/termination-message.ts';
import type { RuntimeContainer } from '../../runtime/contract.ts';
import { CriLogParser } from '../logs/cri-log-parser.ts';

/**
 * How much of the end of a log is read. It always contains 80 lines or 2,048 bytes of text: a log entry has about 45
 * bytes beside its text, and at most 16 KiB of text.
 */
const TAIL_BYTES = 64 * 1024;

/** The container attempts of a Pod, by container name. */
type Attempts = ReadonlyMap<string, readonly Attempt[]>;

/**
 * Reads and caches the termination messages of exited containers. Each log is read once, after its container has
 * exited: the log is complete then, and may be removed before the Pod is.
 */
export class TerminationMessages {
	/** The text by container id, by Pod UID. */
	readonly #texts = new Map<string, Map<string, string>>();

	/** The attempts with their messages. `containers` are the runtime's containers of the Pod, by id. */
	async addTo(
		{ metadata: { uid = '' }, spec }: Pod,
		attempts: Attempts,
		containers: ReadonlyMap<string, RuntimeContainer> | undefined,
	): Promise<Attempts> {
		const all = [...(spec.initContainers ?? []), ...spec.containers];
		const completed = new Map(attempts);
		for (const container of all) {
			const own = attempts.get(container.name) ?? [];
			if (!own.some((attempt) => takesMessageFromLog(container, attempt))) continue;
			const texts = own.map(async (attempt) => {
				if (!takesMessageFromLog(container, attempt)) return attempt;
				return withMessage(attempt, await this.#textOf(uid, containers?.get(attempt.id)), spec);
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

	async #textOf(podUid: string, container: RuntimeContainer | undefined): Promise<string> {
		if (!container) return '';
		const texts = this.#texts.get(podUid) ?? new Map<string, string>();
		this.#texts.set(podUid, texts);
		const known = texts.get(container.id);
		if (known !== undefined) return known;
		const text = await messageFromLog(container.logPath).catch(
			(error: unknown) => `Error on reading termination message from logs: ${String(error)}`,
		);
		texts.set(container.id, text);
		return text;
	}
}

/**
 * The end of a container's log as its termination message: the text of the last 80 lines, at most 2,048 bytes. Empty
 * if there is no log. If the current file is short because of a rotation, the newest rotated part is read as well.
 */
export async function messageFromLog(logPath: string): Promise<string> {
	const current = await tailOf(logPath);
	const older = current.length < TAIL_BYTES ? await lastPartBefore(logPath) : undefined;
	const before = older === undefined ? Buffer.alloc(0) : await tailOf(older);
	return messageOfLog(new CriLogParser().push(wholeLines(Buffer.concat([before, current]))));
}

const NEWLINE = Buffer.from('\n');

/** The last {@link TAIL_BYTES}, without the first line, which may be incomplete. */
function wholeLines(bytes: Buffer): Buffer {
	if (bytes.length < TAIL_BYTES) return bytes;
	const tail = bytes.subarray(-TAIL_BYTES);
	return tail.subarray(tail.indexOf(NEWLINE) + 1);
}

async function tailOf(path: string): Promise<Buffer> {
	let file: FileHandle | undefined;
	try {
		file = await open(path, 'r');
		const { size } = await file.stat();
		const length = Math.min(size, TAIL_BYTES);
		const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
		return buffer.subarray(0, bytesRead);
	} catch (error) {
		if (isMissing(error)) return Buffer.alloc(0);
		throw error;
	} finally {
		await file?.close();
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
