import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import type { Container, PodSpec } from '../../../api/core/pod/schema.ts';
import { type Attempt, allContainersOf } from '../snapshot.ts';

/**
 * Termination messages of containers, following the kubelet's `convertToKubeContainerStatus` and `normalizeStatus`:
 * from the file at terminationMessagePath or, if that is empty and the policy allows it, from the end of the log.
 */

/** Upstream's limit of a message from the file, `MaxContainerTerminationMessageLength`: of its end. */
export const MOST_FILE_BYTES = 4096;

/** Upstream's limits of a message from the log: `MaxContainerTerminationMessageLogLines` and `…LogLength`. */
const MOST_LINES = 80;
const MOST_BYTES = 2048;

/** Maximum total size in bytes of the messages of all containers of a Pod. */
const MOST_BYTES_OF_POD = 12 * 1024;

/**
 * Whether the runtime mounts a file for the message at the container's terminationMessagePath. A runtime that only
 * simulates containers has no files.
 */
export function writesMessageFile({ honours }: RuntimeTraits): boolean {
	return honours !== 'everything' && honours.has('spec.containers[].terminationMessagePath');
}

/** Whether the attempt may have written a file with its message: it has run, and has ended. */
export function takesMessageFromFile(
	{ terminationMessagePath }: Container,
	attempt: Attempt,
	traits: RuntimeTraits,
): boolean {
	const hasRun = attempt.state === 'exited' && attempt.startedAt !== undefined;
	return hasRun && Boolean(terminationMessagePath) && writesMessageFile(traits);
}

/** Whether the end of the container's log becomes its message: its policy allows that, and it has failed. */
export function takesMessageFromLog({ terminationMessagePolicy }: Container, attempt: Attempt): boolean {
	if (terminationMessagePolicy !== 'FallbackToLogsOnError' || attempt.state !== 'exited') return false;
	// A container that never ran has no log.
	return attempt.exitCode !== 0 && attempt.startedAt !== undefined;
}

/** An entry of a container's log; `isPartial` if the rest of the line follows in a later entry. */
export interface ContainerLogEntry {
	readonly text: Uint8Array;
	readonly isPartial: boolean;
}

/**
 * The text of the last 80 entries, at most 2,048 bytes, without a character that is cut off at the start (upstream:
 * `readLastStringFromContainerLogs` in kuberuntime_container.go).
 */
export function messageOfLog(entries: readonly ContainerLogEntry[]): string {
	const parts = entries
		.slice(-MOST_LINES)
		.flatMap(({ text, isPartial }) => (isPartial ? [text] : [text, NEWLINE]));
	const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return new TextDecoder('utf-8', { ignoreBOM: true }).decode(wholeCharacters(bytes.subarray(-MOST_BYTES)));
}

const NEWLINE = Uint8Array.of(0x0a);

/** `bytes` without UTF-8 continuation bytes at the start, whose first byte was cut off. */
function wholeCharacters(bytes: Uint8Array): Uint8Array {
	let start = 0;
	while (start < Math.min(3, bytes.length) && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
	return bytes.subarray(start);
}

/**
 * The attempt with `text` from its file or log appended to the runtime's message, cut to the container's share of the
 * limit.
 */
export function withMessage(attempt: Attempt, text: string, spec: PodSpec): Attempt {
	if (attempt.state !== 'exited' || text === '') return attempt;
	const share = Math.floor(MOST_BYTES_OF_POD / allContainersOf(spec).length);
	const whole = attempt.message ? `${attempt.message}: ${text}` : text;
	return { ...attempt, message: cut(whole, share) };
}

/** The longest prefix of `text` that has at most `bytes` bytes in UTF-8 and ends with a complete character. */
function cut(text: string, bytes: number): string {
	let length = 0;
	let end = 0;
	for (const character of text) {
		const code = character.codePointAt(0) ?? 0;
		length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
		if (length > bytes) return text.slice(0, end);
		end += character.length;
	}
	return text;
}
