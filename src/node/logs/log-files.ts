import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Pod } from '../../api/core/pod/schema.ts';
import { assert } from '../../base/assert.ts';
import { undefinedIfMissing } from '../../base/files/system-error.ts';

/** The longest file name that every file system supports, in bytes. */
const LONGEST_NAME = 255;

/** The name of a Pod's log folder, `<namespace>_<pod>_<uid>`: none of the parts can contain the separator. */
const POD_FOLDER = /^[A-Za-z0-9.-]+_[A-Za-z0-9.-]+_([A-Za-z0-9-]+)$/;

/**
 * The paths of container logs: `<root>/<namespace>_<pod>_<uid>/<container>/<attempt>.log`, the layout of the kubelet
 * below `/var/log/pods`. The runtime creates the folders with the first line of a log. The caller removes them only
 * after the Pod's containers, since a container that still writes would create them again.
 *
 * Names come from manifests: each is checked to be a plain file name before it becomes part of a path. A Pod name that
 * makes the folder's name too long is truncated; the UID identifies the Pod.
 */
export class LogFiles {
	readonly #root: string;
	/** The names of the folders that may exist, by Pod UID. */
	readonly #folders = new Map<string, string>();

	/** `root` is an existing folder. */
	constructor(root: string) {
		this.#root = root;
	}

	/** The path of the log of one container attempt. */
	pathOf({ metadata }: Pod, container: string, attempt: number): string {
		const { namespace = '', name = '', uid = '' } = metadata;
		const folder = this.#folders.get(uid) ?? folderName({ namespace, name, uid });
		this.#folders.set(uid, folder);
		return join(this.#root, folder, plain(container), `${attempt}.log`);
	}

	/** Removes all logs of a Pod whose containers are removed. */
	async remove(podUid: string): Promise<void> {
		const folder = this.#folders.get(podUid);
		if (folder === undefined) return;
		await rm(join(this.#root, folder), { recursive: true, force: true, maxRetries: 3 });
		this.#folders.delete(podUid);
	}

	/** Removes the log of one exited container attempt, with its rotated parts. */
	async removeAttempt(pod: Pod, container: string, attempt: number): Promise<void> {
		const path = this.pathOf(pod, container, attempt);
		const own = basename(path);
		for (const name of await namesIn(dirname(path)))
			if (name === own || name.startsWith(`${own}.`)) await rm(join(dirname(path), name), { force: true });
	}

	/**
	 * Removes the logs of Pods for which `isKnown` returns false: an earlier node agent was stopped before it could.
	 * Ignores folders whose names are not those of a Pod's log folder.
	 */
	async sweep(isKnown: (podUid: string) => boolean): Promise<void> {
		for (const name of await namesIn(this.#root)) {
			const [, uid] = POD_FOLDER.exec(name) ?? [];
			if (uid === undefined) continue;
			this.#folders.set(uid, name);
			if (!isKnown(uid)) await this.remove(uid);
		}
	}
}

function folderName(of: { readonly namespace: string; readonly name: string; readonly uid: string }): string {
	const [namespace, name, uid] = [plain(of.namespace), plain(of.name), plain(of.uid)];
	const room = LONGEST_NAME - namespace.length - uid.length - 2;
	return `${namespace}_${name.slice(0, room)}_${uid}`;
}

function plain(name: string): string {
	assert(/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name), `${JSON.stringify(name)} is not a plain file name`);
	return name;
}

async function namesIn(folder: string): Promise<readonly string[]> {
	return (await readdir(folder).catch(undefinedIfMissing)) ?? [];
}
