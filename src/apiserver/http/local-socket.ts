import { chmodSync, lstatSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { messageOf } from '../../base/message-of.ts';

/**
 * The longest path of a Unix socket, in bytes (`sun_path` without its final zero). The system would refuse a longer
 * one.
 */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/**
 * Lets `server` listen on a Unix socket at `path`, for its owner only, whose folder only the owner may enter. That
 * folder protects the socket until its own mode is set. Resolves to undefined once the socket is open, and otherwise
 * to the reason: the socket saves clients the start of a TLS connection, and no server should fail without it.
 *
 * It replaces the socket of a server that was killed: the caller holds the lock of the data folder, so no other
 * server can be listening there. Anything else at the path stays as it is. Closing `server` removes the socket.
 */
export async function openLocalSocket(server: Server, path: string): Promise<string | undefined> {
	const length = Buffer.byteLength(path);
	if (length > MAX_PATH_BYTES) return `its path has ${length} bytes, and the maximum is ${MAX_PATH_BYTES}`;
	try {
		const found = lstatSync(path, { throwIfNoEntry: false });
		if (found && !found.isSocket()) return 'there is a file of this name that is no socket: move it away';
		if (found) rmSync(path);
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject);
			server.listen(path, () => {
				server.off('error', reject);
				resolve();
			});
		});
		chmodSync(path, 0o600);
		return undefined;
	} catch (error) {
		server.close();
		return messageOf(error);
	}
}
