/** The processes of a container, seen from this machine: runtimes of the CRI neither list nor signal them. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt } from '../../../base/attempt.ts';
import { codeOf, isMissing } from '../../../base/files/system-error.ts';
import { numberAt } from '../../json-values.ts';
import type { CriClient } from '../client/cri-client.ts';
import { CRI } from '../client/cri-methods.ts';

/** Programs of which a process of the container is made: their process becomes that of the command. */
const STARTERS = /^(runc|crun|conmon|youki)/;

/** The control group of a container in the hierarchy that counts processes. */
export class ProcessGroup {
	readonly #folder: string;

	private constructor(folder: string) {
		this.#folder = folder;
	}

	/** The group of a running container; undefined if this process cannot see it, as in a container of its own. */
	static async of(client: CriClient, containerId: string): Promise<ProcessGroup | undefined> {
		const { info } = await client.call(CRI.containerStatus, { containerId, verbose: true });
		// containerd and CRI-O give the same text.
		const pid = numberAt(
			attempt(() => JSON.parse(info.info ?? '')),
			'pid',
		);
		const text = pid > 0 ? attempt(() => readFileSync(`/proc/${pid}/cgroup`, 'utf8')) : undefined;
		const folder = text === undefined ? undefined : folderIn(text, containerId);
		return folder === undefined ? undefined : new ProcessGroup(folder);
	}

	/** How many processes there are. */
	async count(): Promise<number> {
		return (await this.#pids()).length;
	}

	/** Limits how many processes there may be. */
	async limit(most: number): Promise<void> {
		await writeFile(join(this.#folder, 'pids.max'), String(most)).catch((error: unknown) => {
			// The group is removed with its last process.
			if (!isMissing(error) && codeOf(error) !== 'ENODEV') throw error;
		});
	}

	/** The processes that were not started by others of the group: the first one, and those of commands. */
	async roots(): Promise<ReadonlySet<number>> {
		const pids = await this.#pids();
		const all = new Set(pids);
		const parents = await Promise.all(pids.map(parentOf));
		return new Set(
			pids.filter((_, index) => {
				const parent = parents[index];
				return parent !== undefined && !all.has(parent);
			}),
		);
	}

	/** Kills a process of the group with those that it has started. */
	async kill(root: number): Promise<void> {
		const pids = await this.#pids();
		if (!pids.includes(root)) return;
		const parents = new Map(await Promise.all(pids.map(async (pid) => [pid, await parentOf(pid)] as const)));
		const belongs = (pid: number | undefined): boolean =>
			pid !== undefined && (pid === root || belongs(parents.get(pid)));
		for (const pid of pids.filter(belongs)) attempt(() => process.kill(pid, 'SIGKILL'));
	}

	async #pids(): Promise<readonly number[]> {
		const text = await readFile(join(this.#folder, 'cgroup.procs'), 'latin1').catch(() => '');
		return text.split('\n').filter(Boolean).map(Number);
	}
}

/** The parent of a process; undefined if it has ended, or is still the program that starts one. */
async function parentOf(pid: number): Promise<number | undefined> {
	const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
	const [, name = '', parent = ''] = /^\d+ \((.*)\) \S (\d+)/s.exec(text) ?? [];
	return parent === '' || STARTERS.test(name) ? undefined : Number(parent);
}

/**
 * The folder of the group in the hierarchy that limits the number of processes: one of version 1, or that of version 2. A
 * process that has ended is in the root of hierarchies, which is no group of the container.
 */
function folderIn(text: string, containerId: string): string | undefined {
	const groups = text.split('\n').flatMap((line) => {
		const [, controllers = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
		if (!path.includes(containerId)) return [];
		if (controllers === '') return [join('/sys/fs/cgroup', path)];
		return controllers.split(',').includes('pids') ? [join('/sys/fs/cgroup/pids', path)] : [];
	});
	return groups.find((folder) => existsSync(join(folder, 'cgroup.procs')));
}
