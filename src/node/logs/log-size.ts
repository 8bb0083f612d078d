import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The size of all logs of a container, given the path of one of them; 0 if there is none. */
export async function logBytes(logPath: string): Promise<number> {
	const folder = dirname(logPath);
	const names = await readdir(folder).catch(() => []);
	// A log may be rotated away meanwhile.
	const sizes = names.map((name) =>
		stat(join(folder, name)).then(
			({ size }) => size,
			() => 0,
		),
	);
	return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
