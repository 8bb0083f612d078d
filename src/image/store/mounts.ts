import { readFile, realpath } from 'node:fs/promises';
import { undefinedIfMissing } from '../../base/files/system-error.ts';

/** The mount points at and below a folder that this process sees. Empty where there is no /proc. */
export async function mountsBelow(folder: string): Promise<readonly string[]> {
	const text = await readFile('/proc/self/mountinfo', 'utf8').catch(undefinedIfMissing);
	const path = await realpath(folder).catch(undefinedIfMissing);
	if (text === undefined || path === undefined) return [];
	return text
		.split('\n')
		.map((line) => unescaped(line.split(' ')[4] ?? ''))
		.filter((point) => point === path || point.startsWith(`${path}/`));
}

/** The kernel writes spaces, tabs, newlines and backslashes in octal. */
function unescaped(path: string): string {
	return path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}
