import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/**
 * What is in a file of our own making. Throws the system's error if it cannot be read, and an Error if it is
 * no regular file: a link could lead anywhere, and a pipe or a device has no end.
 */
export function readRegularFile(path: string): Buffer {
	const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	try {
		if (!fstatSync(fd).isFile()) throw new Error('it is no regular file');
		return readFileSync(fd);
	} finally {
		closeSync(fd);
	}
}
