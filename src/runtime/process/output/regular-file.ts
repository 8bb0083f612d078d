import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/**
 * Reads a file that stint has written. Throws the system error if it cannot be read or is a symbolic link, which could
 * lead anywhere, and an Error if it is not a regular file: a pipe or a device may have no end.
 */
export function readRegularFile(path: string): Buffer {
	const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	try {
		if (!fstatSync(fd).isFile()) throw new Error('it is not a regular file');
		return readFileSync(fd);
	} finally {
		closeSync(fd);
	}
}
