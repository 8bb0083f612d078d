import { lstatSync, statSync } from 'node:fs';
import { dirname, isAbsolute } from 'node:path';

/** Permission bits that let other users create or replace files in a folder. */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Whether there is a Unix socket at `path` that only a process of this user can have created: it and its folder
 * belong to this user, and no other user may write to the folder. A client sends its token to such a socket without
 * TLS, so no other user may be able to listen there: `sudo stint get` with the kubeconfig of another user uses TLS,
 * which proves who the server is.
 */
export function isOwnSocket(path: string): boolean {
	try {
		if (!isAbsolute(path)) return false;
		const user = process.geteuid?.();
		const folder = statSync(dirname(path));
		if (folder.uid !== user || (folder.mode & WRITABLE_BY_OTHERS) !== 0) return false;
		// Not through a symbolic link: the owner of its target says nothing about its folder.
		const socket = lstatSync(path);
		return socket.isSocket() && socket.uid === user;
	} catch {
		return false;
	}
}
