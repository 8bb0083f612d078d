/**
 * The control groups of a launcher: `stint/<key of the launcher>/<container>` in each hierarchy (hierarchies.ts), and
 * `stint/<key>/<sandbox>/<container>` for a Pod with limits of its own. cgroup-limits.ts computes the values.
 *
 * 1. A group is made only for what has a limit or weight, and only in the hierarchies of its controllers: a container
 *    without any costs nothing, and stays in the group of stint. The exception is a container without a process namespace of
 *    its own: it gets a group in one hierarchy, so that its processes are found whatever they do.
 * 2. The groups of a container are removed after its end, those of a Pod with its sandbox. A launcher that starts removes
 *    what a killed one has left, by the key that is in the names: never the groups of another launcher.
 * 3. The processes of a group that is removed are killed first, so no process of a container outlives it. If the start of
 *    the container is tried again meanwhile, its group stays.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assert } from '../../../base/assert.ts';
import { attempt } from '../../../base/attempt.ts';
import { type Clock, sleep } from '../../../base/clock.ts';
import { codeOf, isMissing } from '../../../base/files/system-error.ts';
import { signalProcess } from '../launcher/process-table.ts';
import { type CgroupLimits, cgroupFilesOf, controllersOf } from './cgroup-limits.ts';
import { controllersIn, enableIn, findHierarchies, type Hierarchy } from './hierarchies.ts';
import type { GroupPlace } from './own-groups.ts';

/** The groups of a container, as the shim joins them. */
export interface ContainerCgroups {
	readonly folders: readonly string[];
	/** The file that counts kills for want of memory. */
	readonly oomFile?: string;
}

/** A container that may need groups. */
export interface CgroupRequest {
	readonly id: string;
	readonly limits?: CgroupLimits | undefined;
	/** If true, nothing but a group holds all its processes: it has no process namespace of its own. */
	readonly sharesProcesses?: boolean;
	/** Its sandbox, with the limits of all its containers together. */
	readonly sandbox: { readonly id: string; readonly config: { readonly limits?: CgroupLimits } };
}

/** The settings and callbacks of {@link Cgroups}. */
export interface CgroupsOptions {
	/** The launcher's key, which is never empty: see Origin.key in launcher/journal-entry.ts. */
	readonly key: string;
	readonly clock: Clock;
	onError(error: unknown): void;
	/** Called when {@link Cgroups.isIdle} has become true. */
	onIdle(): void;
	readonly hierarchies?: readonly Hierarchy[];
}

/** How long the removal of a group waits for the end of its processes, and how often it looks. */
const REMOVE_TRIES = 100;
const REMOVE_MS = 20;
/** How often the processes of a container are searched for while they may fork into the old group. */
const MOVE_TRIES = 10;

/** See the header of this file. */
export class Cgroups {
	readonly #options: CgroupsOptions;
	readonly #home: string;
	#found: readonly Hierarchy[] | undefined;
	/** By container id. */
	readonly #groups = new Map<string, ContainerCgroups>();
	/** How many removals are in progress. */
	#removing = 0;

	constructor(options: CgroupsOptions) {
		assert(/^[\w-]+$/.test(options.key), 'the key of a launcher is part of a path');
		this.#options = options;
		this.#home = `stint/${options.key}`;
		this.#found = options.hierarchies;
	}

	/** Looked for at the first use: a launcher whose Pods have no limits needs none. */
	get #hierarchies(): readonly Hierarchy[] {
		this.#found ??= findHierarchies();
		return this.#found;
	}

	/**
	 * Makes the groups of a container; undefined if it needs none. Throws if they cannot be made, and then leaves none: a
	 * container with limits must not run without them. One without limits does: its processes are found otherwise.
	 */
	make(request: CgroupRequest): ContainerCgroups | undefined {
		const { limits = {}, sandbox } = request;
		const needed = new Set([...controllersOf(limits), ...controllersOf(sandbox.config.limits ?? {})]);
		if (needed.size === 0) return request.sharesProcesses ? this.#hold(request.id) : undefined;
		const missing = needed.difference(controllersIn(this.#hierarchies));
		if (missing.size > 0)
			throw new Error(`the launcher may not make control groups for ${[...missing].join(', ')}`);
		const made: string[] = [];
		try {
			for (const hierarchy of this.#hierarchies) {
				const folder = this.#makeIn(hierarchy, request, made);
				if (folder !== undefined) setLimits(folder, limits, hierarchy);
			}
		} catch (error) {
			for (const folder of made) attempt(() => rmdirSync(folder));
			throw error;
		}
		const groups = describe(made);
		this.#groups.set(request.id, groups);
		return groups;
	}

	/** Makes a group that only holds the processes of a container; undefined if this user may not. */
	#hold(id: string): ContainerCgroups | undefined {
		const all = this.#hierarchies;
		// In v2 the kernel kills a whole group; in v1 the controller of processes can forbid them to fork meanwhile.
		const best =
			all.find(({ version }) => version === 2) ??
			all.find(({ controllers }) => controllers.has('pids')) ??
			all[0];
		if (!best) return undefined;
		const folder = join(best.folder, this.#home, id);
		const groups = attempt(() => {
			makeGroup(folder, best);
			return describe([folder]);
		});
		if (groups) this.#groups.set(id, groups);
		return groups;
	}

	/**
	 * Gives a running container other limits. `pids` lists its processes: they move to a group that it did not need before.
	 * Returns its groups from now on. Throws without a change if it uses more memory than it may.
	 */
	update(request: CgroupRequest & { pids(): readonly number[] }): ContainerCgroups {
		const { id, limits = {}, pids } = request;
		const before = this.#groups.get(id)?.folders ?? [];
		checkMemory(request, before);
		const after = this.make(request)?.folders ?? [];
		for (const hierarchy of this.#hierarchies) {
			const old = before.find((folder) => folder.startsWith(`${hierarchy.folder}/`));
			if (old !== undefined) setLimits(old, limits, hierarchy);
		}
		for (const folder of after) if (!before.includes(folder)) moveTo(folder, pids);
		const groups = describe([...new Set([...before, ...after])]);
		this.#groups.set(id, groups);
		return groups;
	}

	/** The groups of a container that runs; undefined if it has none. */
	of(id: string): ContainerCgroups | undefined {
		return this.#groups.get(id);
	}

	/** Where the machine has the groups of a container, and which. */
	placesOf({ folders }: ContainerCgroups): readonly GroupPlace[] {
		return this.#hierarchies.flatMap(({ mount, folder: home }) =>
			folders.filter((folder) => folder.startsWith(`${home}/`)).map((folder) => ({ mount, folder })),
		);
	}

	/**
	 * Removes the groups of a container that has ended, if it has any. Returns whether the kernel killed one of its
	 * processes for want of memory.
	 */
	end(id: string): boolean {
		const groups = this.#groups.get(id);
		if (!groups) return false;
		this.#groups.delete(id);
		const { folders, oomFile } = groups;
		const counts = oomFile === undefined ? '' : (attempt(() => readFileSync(oomFile, 'utf8')) ?? '');
		void this.#remove(folders);
		return Number(/^oom_kill (\d+)$/m.exec(counts)?.[1] ?? 0) > 0;
	}

	/** True if no removal is in progress. */
	get isIdle(): boolean {
		return this.#removing === 0;
	}

	/** Removes the groups of a Pod whose containers have none any more. */
	async removeSandbox(sandboxId: string): Promise<void> {
		await this.#remove(this.#hierarchies.map(({ folder }) => join(folder, this.#home, sandboxId)));
	}

	/**
	 * Continues with the groups of the containers `running`, and removes those of all others. `runs` are what the journal
	 * says about them: an earlier launcher may have made them elsewhere.
	 */
	async recover(
		runs: ReadonlyMap<string, { readonly cgroups?: ContainerCgroups }>,
		running: ReadonlySet<string>,
	): Promise<void> {
		for (const [id, { cgroups }] of runs) if (cgroups && running.has(id)) this.#groups.set(id, cgroups);
		const kept = Array.from(this.#groups.values()).flatMap(({ folders }) => folders);
		const known = Array.from(runs.values()).flatMap(({ cgroups }) => cgroups?.folders ?? []);
		const homes = this.#hierarchies.map(({ folder }) => join(folder, this.#home));
		const found = homes.flatMap((home) => groupsIn(home).flatMap((one) => [...groupsIn(one), one]));
		const isKept = (folder: string): boolean =>
			kept.some((one) => one === folder || one.startsWith(`${folder}/`));
		await this.#remove([...new Set([...known, ...found])].filter((folder) => !isKept(folder)));
	}

	/** Removes the empty folders of this launcher, those of Pods too: they are made again for a container that needs them. */
	close(): void {
		for (const { folder } of this.#found ?? []) {
			const home = join(folder, this.#home);
			for (const path of [...groupsIn(home), home, dirname(home)]) attempt(() => rmdirSync(path));
		}
	}

	/** Whether a path from the journal is that of a group of this launcher: what is in such a group is killed. */
	#owns(folder: string): boolean {
		return folder.includes(`/${this.#home}/`) && !folder.includes('/../');
	}

	/** The folder of the container in the hierarchy, with those above it; undefined if it needs none there. */
	#makeIn(hierarchy: Hierarchy, request: CgroupRequest, made: string[]): string | undefined {
		const { sandbox, id, limits = {} } = request;
		const pod = sandbox.config.limits ?? {};
		const isNeeded = (by: CgroupLimits): boolean => !controllersOf(by).isDisjointFrom(hierarchy.controllers);
		const ofPod = isNeeded(pod);
		if (!ofPod && !isNeeded(limits)) return undefined;
		const folder = join(hierarchy.folder, this.#home, ofPod ? sandbox.id : '', id);
		makeGroup(folder, hierarchy);
		made.push(folder);
		if (ofPod) setLimits(dirname(folder), pod, hierarchy);
		return folder;
	}

	#isUsed(folder: string): boolean {
		return this.#groups.values().some(({ folders }) => folders.includes(folder));
	}

	async #remove(folders: readonly string[]): Promise<void> {
		this.#removing++;
		for (const folder of folders) if (this.#owns(folder)) await this.#removeFolder(folder);
		this.#removing--;
		if (this.#removing === 0) this.#options.onIdle();
	}

	async #removeFolder(folder: string): Promise<void> {
		const { clock, onError } = this.#options;
		for (let tries = 1; ; tries++) {
			try {
				rmdirSync(folder);
				return;
			} catch (error) {
				if (isMissing(error)) return;
				if (codeOf(error) !== 'EBUSY' || tries === REMOVE_TRIES) return onError(error);
				killGroup(folder);
				await sleep(clock, REMOVE_MS);
				if (this.#isUsed(folder)) return;
			}
		}
	}
}

/** Makes the groups of a container for its start, and removes them if that fails. */
export async function startIn<T>(
	cgroups: Cgroups | undefined,
	request: CgroupRequest,
	start: (groups: ContainerCgroups | undefined) => Promise<T>,
): Promise<T> {
	try {
		return await start(cgroups?.make(request));
	} catch (error) {
		cgroups?.end(request.id);
		throw error;
	}
}

function describe(folders: readonly string[]): ContainerCgroups {
	const names = ['memory.events', 'memory.oom_control'];
	const oomFile = folders.flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync);
	return { folders, ...(oomFile !== undefined && { oomFile }) };
}

/**
 * Makes the group if it does not exist, and those above it. These are tried second, since they nearly always exist: the
 * error of a folder that exists costs as much as the folder.
 */
function makeGroup(folder: string, hierarchy: Hierarchy): void {
	try {
		mkdirSync(folder);
	} catch (error) {
		if (codeOf(error) === 'EEXIST') return;
		const above = dirname(folder);
		if (!isMissing(error) || above === hierarchy.folder) throw error;
		makeGroup(above, hierarchy);
		if (hierarchy.version === 2) enableIn(above);
		mkdirSync(folder);
	}
}

function setLimits(folder: string, limits: CgroupLimits, hierarchy: Hierarchy): void {
	const files = cgroupFilesOf(limits, hierarchy);
	const failed = files.filter((file) => !writeFileOf(folder, file));
	// The kernel of v1 wants the limit with swap to be at least the one without, whichever way they change.
	for (const { name, value } of failed.reverse()) writeFileSync(join(folder, name), value);
}

/** Writes the file; returns false if the kernel refuses the value. */
function writeFileOf(
	folder: string,
	{ name, value, isOptional }: ReturnType<typeof cgroupFilesOf>[number],
): boolean {
	try {
		writeFileSync(join(folder, name), value, { flag: 'r+' });
		return true;
	} catch (error) {
		if (isOptional && ['ENOENT', 'EACCES', 'EPERM', 'EOPNOTSUPP'].includes(codeOf(error))) return true;
		return false;
	}
}

/** The kernel would kill processes to get below the limit; the kubelet refuses it with this message. */
function checkMemory({ id, limits }: CgroupRequest, folders: readonly string[]): void {
	const memoryBytes = limits?.memoryBytes;
	if (memoryBytes === undefined) return;
	for (const folder of folders) {
		const text = ['memory.current', 'memory.usage_in_bytes']
			.map((name) => attempt(() => readFileSync(join(folder, name), 'utf8')))
			.find((one) => one !== undefined);
		const usage = Number(text ?? 0);
		if (usage > memoryBytes)
			throw new Error(
				`attempting to set container ${JSON.stringify(id.split('_').at(-2))} memory limit (${memoryBytes}) ` +
					`below current usage (${usage})`,
			);
	}
}

/** Moves the processes of a container to another group, until a search finds none outside of it. */
function moveTo(folder: string, pids: () => readonly number[]): void {
	for (let tries = 0; tries < MOVE_TRIES; tries++) {
		const inside = new Set(processesIn(folder));
		const outside = pids().filter((pid) => !inside.has(pid));
		if (outside.length === 0) return;
		// One that has just ended cannot be moved.
		for (const pid of outside) attempt(() => writeFileSync(join(folder, 'cgroup.procs'), String(pid)));
	}
}

/**
 * Kills the processes of the group and of those that a container has made in it, and removes these: by the kernel in v2,
 * which leaves out no process that forks meanwhile; in v1 one by one, without the right to fork where that can be taken.
 */
function killGroup(folder: string): void {
	for (const below of groupsIn(folder)) {
		killGroup(below);
		attempt(() => rmdirSync(below));
	}
	if (hasWritten(join(folder, 'cgroup.kill'), '1')) return;
	hasWritten(join(folder, 'pids.max'), '0');
	for (const pid of processesIn(folder)) signalProcess(pid, 'SIGKILL');
}

function hasWritten(path: string, text: string): boolean {
	try {
		writeFileSync(path, text, { flag: 'r+' });
		return true;
	} catch {
		return false;
	}
}

function processesIn(folder: string): readonly number[] {
	const text = attempt(() => readFileSync(join(folder, 'cgroup.procs'), 'utf8')) ?? '';
	return text
		.split('\n')
		.map(Number)
		.filter((pid) => pid > 1);
}

function groupsIn(folder: string): readonly string[] {
	const entries = attempt(() => readdirSync(folder, { withFileTypes: true })) ?? [];
	return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}
