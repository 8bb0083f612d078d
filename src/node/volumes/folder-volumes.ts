/**
 * The volumes of a node as folders and files of its machine. Runtimes mount them into containers; nothing is mounted here.
 *
 * Read in this order: pod-folders.ts and memory-root.ts (where), this file (each kind of volume), atomic-writer.ts (files
 * of the API), host-path.ts (checks), ../../runtime/files/ (owners, and what containers have written); then api-inputs.ts,
 * followed-objects.ts and pod-tokens.ts (what the API says).
 *
 * 1. What the API says is in memory where the machine has a tmpfs, as the kubelet's: it must not get onto a disk.
 * 2. A volume that exists is not changed by another set-up, except for its files: containers may be using it.
 */
import { chmodSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../api/core/pod/schema.ts';
import type { Clock } from '../../base/clock.ts';
import type { DiskUsage } from '../../base/files/disk-usage.ts';
import { undefinedIfMissing } from '../../base/files/system-error.ts';
import { approximate } from '../../base/json/json.ts';
import { TurnBudget } from '../../base/turn.ts';
import { nestedMountPoints } from '../../plan/pod/inputs/nested-mounts.ts';
import type { PreparedVolume } from '../../plan/pod/inputs/values.ts';
import type { VolumeSetUp } from '../../plan/pod/inputs/volume-kinds.ts';
import type { ContainerFiles } from '../../runtime/files/container-files.ts';
import type { OwnershipOptions } from '../../runtime/files/volume-ownership.ts';
import { type HostVolume, MountError, type SetUpOptions, type VolumeHost } from '../pods/volume-host.ts';
import { writeAtomically } from './atomic-writer.ts';
import { checkHostPath } from './host-path.ts';
import { type PodFolders, UNFINISHED } from './pod-folders.ts';

/** For how long files are written in one turn. */
const TURN_MS = 5;

/** The components of {@link FolderVolumes}. */
export interface FolderVolumesOptions {
	readonly folders: PodFolders;
	/** What works on files of containers; asked for at each use. */
	files(): ContainerFiles;
	readonly clock: Pick<Clock, 'now' | 'monotonic'>;
	/** The hosts file of the node. Default `/etc/hosts`. */
	readonly hostsFile?: string;
	/** The configuration of the node's resolver, as the kubelet's `resolvConf`. Default `/etc/resolv.conf`. */
	readonly resolvConf?: string;
}

type SetUpOf<K extends VolumeSetUp['kind']> = VolumeSetUp & { readonly kind: K };

/** See the header of this file. */
export class FolderVolumes implements VolumeHost {
	readonly #options: FolderVolumesOptions;
	readonly #turn: TurnBudget;

	constructor(options: FolderVolumesOptions) {
		this.#options = options;
		this.#turn = new TurnBudget(options.clock, TURN_MS);
	}

	async setUp(pod: Pod, volume: HostVolume, { inUse }: SetUpOptions): Promise<PreparedVolume> {
		switch (volume.kind) {
			case 'files':
				return this.#setUpFiles(pod, volume);
			case 'emptyDir':
				return this.#setUpEmptyDir(pod, volume);
			case 'hostPath':
				await checkHostPath(volume.path, volume.type);
				return { hostPath: volume.path, readOnly: volume.readOnly };
			case 'local':
				return this.#setUpLocal(pod, volume, inUse);
		}
	}

	remove(podUid: string): Promise<void> {
		return this.#options.folders.remove(podUid);
	}

	sweep(isKept: (podUid: string) => boolean): Promise<void> {
		return this.#options.folders.sweep(isKept);
	}

	writeHosts(podUid: string, text: string): Promise<string> {
		return this.#options.folders.writeHosts(podUid, text);
	}

	makeResolvConf(podUid: string, text: string): Promise<string> {
		return this.#options.folders.makeResolvConf(podUid, text);
	}

	makeMessageFile(podUid: string, container: string, attempt: number): Promise<string> {
		return this.#options.folders.makeMessageFile(podUid, container, attempt);
	}

	messageFile(podUid: string, container: string, attempt: number): string {
		return this.#options.folders.messageFile(podUid, container, attempt);
	}

	removeMessageFile(podUid: string, container: string, attempt: number): Promise<void> {
		return this.#options.folders.removeMessageFile(podUid, container, attempt);
	}

	async nodeHosts(): Promise<string> {
		return await textAt(this.#options.hostsFile ?? '/etc/hosts');
	}

	async nodeResolvConf(): Promise<string> {
		return await textAt(this.#options.resolvConf ?? '/etc/resolv.conf');
	}

	textInVolume(root: string, path: string): Promise<string | undefined> {
		return this.#options.files().textInVolume(root, path);
	}

	makeSubPath(root: string, subPath: string): Promise<boolean> {
		return this.#options.files().makeSubPath(root, subPath);
	}

	/**
	 * The space that each volume of the Pod takes, by name, for comparison with size limits: its emptyDirs, and the files
	 * of the API. Those of medium Memory are in the memory of the machine. Walks the volumes, so a caller asks rarely.
	 */
	async usageOf(podUid: string): Promise<ReadonlyMap<string, DiskUsage>> {
		const usage = new Map<string, DiskUsage>();
		for (const [name, path] of await this.#options.folders.volumesOf(podUid))
			usage.set(name, await this.#options.files().usageOf(path));
		return usage;
	}

	async #setUpFiles(pod: Pod, { name, files }: SetUpOf<'files'>): Promise<PreparedVolume> {
		const path = await this.#options.folders.volume(pod.metadata.uid ?? '', name, 'memory');
		await makeFolder(path, async () => {});
		// The volume is read-only for containers, so the runtime could not create the mount points in it.
		for (const point of nestedMountPoints(pod, name)) await mkdir(join(path, point), { recursive: true });
		await writeAtomically(path, files, {
			now: this.#options.clock.now(),
			turn: this.#turn,
			finish: async (made) => {
				for (const { path: name, readers } of files)
					if (readers) await this.#options.files().giveTo(join(made, name), readers);
				await this.#giveToGroup(pod, path, { readOnly: true });
			},
		});
		return { hostPath: path, readOnly: true };
	}

	async #setUpEmptyDir(pod: Pod, { name, medium }: SetUpOf<'emptyDir'>): Promise<PreparedVolume> {
		const where = medium === 'Memory' ? 'memory' : 'disk';
		const path = await this.#options.folders.volume(pod.metadata.uid ?? '', name, where);
		await makeFolder(path, (made) => this.#giveToGroup(pod, made, { readOnly: false }));
		return { hostPath: path, readOnly: false };
	}

	/**
	 * Checks the folder or device behind a PersistentVolume of type `local`. A volume that the Pod may write is given to its
	 * group, unless containers use it already: those of another Pod may have another group.
	 */
	async #setUpLocal(pod: Pod, { path, readOnly }: SetUpOf<'local'>, inUse: boolean): Promise<PreparedVolume> {
		const target = await realpath(path).catch(undefinedIfMissing);
		if (target === undefined)
			throw new MountError('MountVolume.NewMounter initialization failed', `path "${path}" does not exist`);
		const policy = pod.spec.securityContext?.fsGroupChangePolicy;
		if (!readOnly && !inUse && (await stat(target)).isDirectory()) {
			await this.#giveToGroup(pod, target, {
				readOnly: false,
				...(policy === 'OnRootMismatch' && { policy }),
			});
		}
		return { hostPath: path, readOnly };
	}

	/** Gives the volume to the `fsGroup` of the Pod, if it has one. */
	async #giveToGroup(pod: Pod, path: string, options: Omit<OwnershipOptions, 'group'>): Promise<void> {
		const { fsGroup } = pod.spec.securityContext ?? {};
		if (fsGroup !== undefined)
			await this.#options.files().setOwnership(path, { group: approximate(fsGroup), ...options });
	}
}

/** Empty if there is no file. */
async function textAt(path: string): Promise<string> {
	return (await readFile(path, 'utf8').catch(undefinedIfMissing)) ?? '';
}

/**
 * Creates a folder that everybody may use, unless it exists. `finish` gets the path under which it is prepared: a folder
 * that exists at `path` is complete, even if this process ends in between.
 */
async function makeFolder(path: string, finish: (made: string) => Promise<void>): Promise<void> {
	if (existsSync(path)) return;
	const made = `${path}${UNFINISHED}`;
	if (!existsSync(made)) mkdirSync(made);
	// Not by the mode of mkdir, from which the umask of this process is subtracted.
	chmodSync(made, 0o777);
	await finish(made);
	renameSync(made, path);
}
