import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Pod } from '../api/core/pod/schema.ts';
import { assert } from '../base/assert.ts';

/**
 * Where the logs of containers lie: `<root>/<namespace>_<pod>_<uid>/<container>/<attempt>.log`, as the
 * kubelet has it. The runtime makes the folder when it writes the first line. Names come from manifests:
 * each is checked to be a plain file name before it is used, and that of a Pod is cut where the folder's
 * name would be longer than file systems take; the UID tells such Pods apart.
 */
export class LogFiles {
	readonly #root: string;

	constructor(root: string) {
		this.#root = root;
	}

	/** The log of one attempt at a container. */
	pathOf(pod: Pod, container: string, attempt: number): string {
		return join(this.#folderOf(pod), plain(container), `${attempt}.log`);
	}

	/** Removes the log of one attempt with the parts that rotation has set aside. */
	async removeAttempt(pod: Pod, container: string, attempt: number): Promise<void> {
		const path = this.pathOf(pod, container, attempt);
		const names = await readdir(dirname(path)).catch(() => []);
		const own = names.filter((name) => name === basename(path) || name.startsWith(`${basename(path)}.`));
		await Promise.all(own.map((name) => rm(join(dirname(path), name), { force: true })));
	}

	/** Removes the logs of Pods that are not among `uids`: what an agent that was killed has left. */
	async removeOthers(uids: ReadonlySet<string>): Promise<void> {
		const names = await readdir(this.#root).catch(() => []);
		const left = names.filter((name) => {
			const [, uid] = /^[a-z0-9-]+_[a-z0-9.-]+_([0-9a-f-]{36})$/.exec(name) ?? [];
			return uid !== undefined && !uids.has(uid);
		});
		for (const name of left) await rm(join(this.#root, name), { recursive: true, force: true });
	}

	/** Removes all logs of a Pod. */
	async remove(pod: Pod): Promise<void> {
		await rm(this.#folderOf(pod), { recursive: true, force: true, maxRetries: 3 });
	}

	#folderOf({ metadata: { namespace = '', name = '', uid = '' } }: Pod): string {
		const room = LONGEST_NAME - namespace.length - uid.length - 2;
		return join(this.#root, [namespace, name.slice(0, room), uid].map(plain).join('_'));
	}
}

/** The longest name of a file, in bytes, on the file systems in use (NAME_MAX). */
const LONGEST_NAME = 255;

function plain(name: string): string {
	assert(/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name), `${JSON.stringify(name)} is no plain file name`);
	return name;
}
