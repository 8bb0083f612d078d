import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Pod } from '../api/core/pod/schema.ts';
import { assert } from '../base/assert.ts';
import { isMissing } from '../base/system-error.ts';

/** The longest name of a file that every file system takes. */
const LONGEST_NAME = 255;

/** What the name of a Pod's folder looks like: none of its three parts can hold the separator. */
const POD_FOLDER = /^[A-Za-z0-9.-]+_[A-Za-z0-9.-]+_([A-Za-z0-9-]+)$/;

/**
 * Where the logs of containers lie: `<root>/<namespace>_<pod>_<uid>/<container>/<attempt>.log`, as the
 * kubelet has it. The runtime makes the folders when it writes a log's first line. They are removed only when
 * no container of the Pod is left that could write, so that none is made again after that.
 *
 * Names come from manifests: each is checked to be a plain file name before it is used. A Pod's name that
 * makes its folder's name too long is cut; the UID is what tells Pods apart.
 */
export class LogFiles {
	readonly #root: string;
	/** The names of the folders that may be there, by the UID of their Pod. */
	readonly #folders = new Map<string, string>();

	/** `root` is a folder that is there. */
	constructor(root: string) {
		this.#root = root;
	}

	/** The log of one attempt at a container. */
	pathOf({ metadata }: Pod, container: string, attempt: number): string {
		const { namespace = '', name = '', uid = '' } = metadata;
		const folder = this.#folders.get(uid) ?? folderName({ namespace, name, uid });
		this.#folders.set(uid, folder);
		return join(this.#root, folder, plain(container), `${attempt}.log`);
	}

	/** Removes all logs of a Pod whose containers are gone. */
	async remove(podUid: string): Promise<void> {
		const folder = this.#folders.get(podUid);
		if (folder === undefined) return;
		await rm(join(this.#root, folder), { recursive: true, force: true, maxRetries: 3 });
		this.#folders.delete(podUid);
	}

	/** Removes the log of one attempt at a container that has ended, with the parts that rotation has set aside. */
	async removeAttempt(pod: Pod, container: string, attempt: number): Promise<void> {
		const path = this.pathOf(pod, container, attempt);
		const own = basename(path);
		for (const name of await namesIn(dirname(path)))
			if (name === own || name.startsWith(`${own}.`)) await rm(join(dirname(path), name), { force: true });
	}

	/** Removes the logs of Pods that are gone, left by a node agent that was ended before it could. */
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
	assert(/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name), `${JSON.stringify(name)} is no plain file name`);
	return name;
}

async function namesIn(folder: string): Promise<readonly string[]> {
	try {
		return await readdir(folder);
	} catch (error) {
		if (isMissing(error)) return [];
		throw error;
	}
}
