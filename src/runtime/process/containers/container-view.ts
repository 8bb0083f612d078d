import { closeSync, constants, openSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { attempt } from '../../../base/attempt.ts';
import { signalProcess } from '../launcher/process-table.ts';
import { type ContainerBox, hasOwnProcesses } from '../shim/shim-request.ts';

/** How often the processes are searched for: one may fork during a search. */
const MOST_ROUNDS = 10;

/** The links in the folder of a process in /proc that tell what it sees: its mount namespace, or its root. */
type ViewLink = 'ns/mnt' | 'root';

/**
 * What the processes of a container see that has no process namespace and no control group: they are found by their mount
 * namespace, or by their root if that was entered by chroot, unless they have left it. For the first that takes the rights
 * of a privileged container, the second no container has.
 */
export class ContainerView {
	readonly #link: ViewLink;
	readonly #name: string;
	/** Keeps the kernel from giving the number of the namespace to another one. */
	readonly #fd: number | undefined;

	private constructor(link: ViewLink, name: string, fd?: number) {
		this.#link = link;
		this.#name = name;
		this.#fd = fd;
	}

	/**
	 * That of the container whose waiter is the process `pid`; undefined if the container has a process namespace, or sees
	 * what this process sees.
	 */
	static of(pid: number, box: ContainerBox | undefined): ContainerView | undefined {
		if (!box || hasOwnProcesses(box)) return undefined;
		if (!box.root?.isChroot) return ContainerView.#ofMounts(pid);
		const root = attempt(() => realpathSync(box.root?.folder ?? ''));
		return root === undefined ? undefined : new ContainerView('root', root);
	}

	static #ofMounts(pid: number): ContainerView | undefined {
		const fd = attempt(() => openSync(`/proc/${pid}/ns/mnt`, constants.O_RDONLY));
		if (fd === undefined) return undefined;
		const name = attempt(() => readlinkSync(`/proc/self/fd/${fd}`));
		const own = ['self', '1'].map((process) => nameOf(process, 'ns/mnt'));
		if (name !== undefined && !own.includes(name)) return new ContainerView('ns/mnt', name, fd);
		closeSync(fd);
		return undefined;
	}

	/** Kills the processes in it, and releases it. */
	end(): void {
		const killed = new Set<string>();
		for (let round = 0; round < MOST_ROUNDS; round++) {
			const found = processes().filter((pid) => !killed.has(pid) && this.#has(pid));
			if (found.length === 0) break;
			for (const pid of found) {
				killed.add(pid);
				signalProcess(Number(pid), 'SIGKILL');
			}
		}
		if (this.#fd !== undefined) closeSync(this.#fd);
	}

	#has(pid: string): boolean {
		return nameOf(pid, this.#link) === this.#name;
	}
}

function processes(): readonly string[] {
	return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

/** Undefined if the process has ended, or belongs to a user whose processes this one may not see. */
function nameOf(pid: string, link: ViewLink): string | undefined {
	return attempt(() => readlinkSync(`/proc/${pid}/${link}`));
}
