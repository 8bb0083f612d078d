import type { Container, PodSpec } from '../../api/core/pod/schema.ts';
import type { Attempt } from './snapshot.ts';

/**
 * Termination messages, after the kubelet's `convertToKubeContainerStatus` and `normalizeStatus`. A message
 * that the container writes to a file of its own is not read yet.
 */

/** How many bytes the messages of all containers of a Pod may have together. */
const MOST_BYTES_OF_POD = 12 * 1024;

/** Whether the end of the container's log becomes its message: it failed, and has nothing else to say. */
export function takesMessageFromLog({ terminationMessagePolicy }: Container, attempt: Attempt): boolean {
	if (terminationMessagePolicy !== 'FallbackToLogsOnError' || attempt.state !== 'exited') return false;
	// What never ran has no log.
	return attempt.exitCode !== 0 && attempt.startedAt !== undefined;
}

/** The attempt with the text from its log after the runtime's own message, cut to the container's share. */
export function withMessage(
	attempt: Attempt,
	text: string,
	{ containers, initContainers }: PodSpec,
): Attempt {
	if (attempt.state !== 'exited' || text === '') return attempt;
	const share = Math.floor(MOST_BYTES_OF_POD / (containers.length + (initContainers?.length ?? 0)));
	const whole = attempt.message ? `${attempt.message}: ${text}` : text;
	return { ...attempt, message: cut(whole, share) };
}

/** The beginning of `text` in at most so many bytes of UTF-8, without half a character. */
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
