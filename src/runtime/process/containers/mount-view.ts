import { closeSync, constants, openSync, readdirSync, readlinkSync } from 'node:fs';
import { attempt } from '../../../base/attempt.ts';
import { signalProcess } from '../launcher/process-table.ts';
import { type ContainerBox, hasOwnProcesses } from '../shim/shim-request.ts';

/** How often the processes are searched for: one may fork during a search. */
const MOST_ROUNDS = 10;

/**
 * The mount namespace of a container that has no process namespace and no control group: its processes are found by it
 * unless they have left it, which takes the rights of a privileged container. The descriptor keeps the kernel from giving
 * the number of the namespace to another one.
 */
export class MountView {
	readonly #fd: number;
	readonly #name: string;

	private constructor(fd: number, name: string) {
		this.#fd = fd;
		this.#name = name;
	}

	/**
	 * That of the container whose waiter is the process `pid`; undefined if the container has a process namespace, or no
	 * mount namespace of its own.
	 */
	static of(pid: number, box: ContainerBox | undefined): MountView | undefined {
		if (!box || hasOwnProcesses(box)) return undefined;
		const fd = attempt(() => openSync(`/proc/${pid}/ns/mnt`, constants.O_RDONLY));
		if (fd === undefined) return undefined;
		const name = attempt(() => readlinkSync(`/proc/self/fd/${fd}`));
		if (name !== undefined && name !== nameOf('self') && name !== nameOf('1')) return new MountView(fd, name);
		closeSync(fd);
		return undefined;
	}

	/** Kills the processes in it, and releases it. */
	end(): void {
		const killed = new Set<string>();
		for (let round = 0; round < MOST_ROUNDS; round++) {
			const found = processes().filter((pid) => !killed.has(pid) && nameOf(pid) === this.#name);
			if (found.length === 0) break;
			for (const pid of found) {
				killed.add(pid);
				signalProcess(Number(pid), 'SIGKILL');
			}
		}
		closeSync(this.#fd);
	}
}

function processes(): readonly string[] {
	return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

/** Undefined if the process has ended, or belongs to a user whose processes this one may not see. */
function nameOf(pid: string): string | undefined {
	return attempt(() => readlinkSync(`/proc/${pid}/ns/mnt`));
}
