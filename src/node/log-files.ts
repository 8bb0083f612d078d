import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../api/core/pod/schema.ts';
import { assert } from '../base/assert.ts';

/**
 * Where the logs of containers lie: `<root>/<namespace>_<pod>_<uid>/<container>/<attempt>.log`, as the
 * kubelet has it. Whoever writes the first line makes the folder. Names come from manifests: each is checked to be a plain file name before it is used.
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

	/** Removes all logs of a Pod. */
	async remove(pod: Pod): Promise<void> {
		await rm(this.#folderOf(pod), { recursive: true, force: true, maxRetries: 3 });
	}

	#folderOf({ metadata: { namespace = '', name = '', uid = '' } }: Pod): string {
		return join(this.#root, [namespace, name, uid].map(plain).join('_'));
	}
}

function plain(name: string): string {
	assert(/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name), `${JSON.stringify(name)} is no plain file name`);
	return name;
}
