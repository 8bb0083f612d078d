import { chmodSync, renameSync, rmSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { connect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '../../../base/files/system-error.ts';

/** The longest socket path that every system supports, in bytes (Linux: 108, macOS: 104). */
const LONGEST_SOCKET_PATH = 100;

/** The errors of a connection to a socket without a process; ECONNRESET: it has ended before it accepted. */
const NOBODY_LISTENS: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'ENOTSOCK']);

/**
 * Lets `server` listen at `path` for this user alone, replacing an existing socket. It binds another path and renames
 * the socket, because libuv removes the bound path when a server closes, even if another launcher's socket is there by
 * then. The caller removes the socket at `path`. Rejects with the system's error.
 */
export async function listenAt(server: Server, path: string): Promise<void> {
	const bound = `${path}.${process.pid}`;
	rmSync(bound, { force: true });
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(bound, resolve);
	});
	chmodSync(bound, 0o600);
	renameSync(bound, path);
}

/**
 * Connects to the Unix socket `name` in `folder`; resolves to undefined if no process listens. A path that is too long
 * is reached through a symbolic link.
 */
export async function connectIn(folder: string, name: string): Promise<Socket | undefined> {
	const path = join(folder, name);
	if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return await connectTo(path);
	const shortcut = await mkdtemp(join(tmpdir(), 'stint-'));
	try {
		await symlink(folder, join(shortcut, 'f'));
		return await connectTo(join(shortcut, 'f', name));
	} finally {
		await rm(shortcut, { recursive: true, force: true });
	}
}

function connectTo(path: string): Promise<Socket | undefined> {
	return new Promise((resolve, reject) => {
		const socket = connect(path);
		socket.once('connect', () => resolve(socket));
		// Once connected, an error closes the socket, which the client's `close` listener handles.
		socket.on('error', (error) => {
			if (NOBODY_LISTENS.has(codeOf(error))) resolve(undefined);
			else reject(error);
		});
	});
}
