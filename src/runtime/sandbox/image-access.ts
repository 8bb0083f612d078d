import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from '../../base/clock.ts';
import { diskUsage } from '../../base/files/disk-usage.ts';
import { bytesByDu } from '../../base/files/du.ts';
import type { Random } from '../../base/random.ts';
import { ImageStore } from '../../image/store/image-store.ts';
import { userOfThisProcess } from '../process/shim/host-users.ts';
import type { MachineProbe, SubordinateIds } from '../process/shim/probe.ts';
import { mapsOf } from './image-box.ts';
import { imagesRefusal } from './image-machine.ts';
import { type OverlayUse, shimLayerFiles } from './layer-files.ts';
import { subordinateIds } from './subordinate-ids.ts';
import { ImageWorker } from './worker/image-worker.ts';

/** Where images are, and what reads and writes them. */
export interface ImageAccessOptions {
	/** The folder of images: the store is a folder in it. */
	readonly imageFolder: string;
	/** The file of mirrors, in the form of k3s's registries.yaml; it need not exist. */
	readonly registriesPath: string;
	readonly clock: Clock;
	readonly random: Random;
	readonly version: string;
	/** Whether the worker keeps layers as they came, so that images can be saved. Default false. */
	readonly keepsBlobs?: boolean;
	/** Whether the worker keeps this process alive. Default false. */
	readonly keepsAlive?: boolean;
	/** Receives errors that no call can reject with, such as a folder that cannot be removed. */
	onError(error: unknown): void;
}

/** The store in a folder of images. */
export function imageStoreFolder(imageFolder: string): string {
	return join(imageFolder, 'store');
}

/**
 * How a process of this user reads and writes images: the same for the server and for commands, which share stores.
 * Where images cannot be run, the store can be read and images can be removed, but there is no worker.
 */
export class ImageAccess {
	/** Ids beside that of an ordinary user, in which the files of images are owned; undefined: none, or not needed. */
	readonly ids: SubordinateIds | undefined;
	readonly #shim: string | undefined;
	readonly #machine: MachineProbe;
	readonly #options: ImageAccessOptions;

	private constructor(
		{ shim, machine, ids }: MachineFindings & { readonly ids: SubordinateIds | undefined },
		options: ImageAccessOptions,
	) {
		this.ids = ids;
		this.#shim = shim;
		this.#machine = machine;
		this.#options = options;
	}

	/** Finds out which ids this process can use. */
	static async on({ shim, machine }: MachineFindings, options: ImageAccessOptions): Promise<ImageAccess> {
		const ids = shim !== undefined && machine.level === 'user' ? await usableIds(shim) : undefined;
		return new ImageAccess({ shim, machine, ids }, options);
	}

	/** Opens the store in this process. */
	async openStore(): Promise<ImageStore> {
		const { imageFolder, clock, random, onError } = this.#options;
		const shim = this.#shim;
		const { ids } = this;
		return await ImageStore.open({
			root: imageStoreFolder(imageFolder),
			clock,
			random,
			policy: { ownership: this.#hasOwners ? 'apply' : 'record', setId: 'keep' },
			...(shim !== undefined && { files: shimLayerFiles(shim, { overlays: this.#overlays, onError }) }),
			onError,
			...(shim !== undefined && ids && { remove: (path: string) => removeAs(shim, ids, path) }),
		});
	}

	/** The space that a folder of a container takes. */
	async measure(folder: string): Promise<number> {
		const shim = this.#shim;
		const prefix = shim !== undefined && this.ids ? namespacePrefix(shim, this.ids) : undefined;
		const found = prefix && (await bytesByDu(folder, prefix));
		return found ?? (await diskUsage(folder)).usedBytes;
	}

	/** The process that pulls and unpacks images into the store; it starts at its first call. Throws if images cannot be run. */
	worker(): ImageWorker {
		const {
			imageFolder,
			registriesPath,
			clock,
			version,
			keepsBlobs = false,
			keepsAlive = false,
			onError,
		} = this.#options;
		const shim = this.#shim;
		const refusal = imagesRefusal(shim, this.#machine);
		if (shim === undefined || refusal !== undefined) throw new Error(refusal);
		return new ImageWorker({
			clock,
			onError,
			keepsAlive,
			prefix: this.ids ? namespacePrefix(shim, this.ids) : [],
			settings: {
				store: imageStoreFolder(imageFolder),
				shim,
				overlays: this.#overlays,
				hasOwners: this.#hasOwners,
				keepsBlobs,
				registriesPath,
				userAgent: `stint/${version}`,
			},
		});
	}

	get #overlays(): OverlayUse {
		const { level } = this.#machine;
		return level === 'chroot' ? 'none' : level === 'user' ? 'user' : 'root';
	}

	get #hasOwners(): boolean {
		const { level } = this.#machine;
		return level === 'root' || level === 'chroot' || this.ids !== undefined;
	}
}

/** What was found out about the machine. */
interface MachineFindings {
	/** Undefined: there is none for this system. */
	readonly shim: string | undefined;
	readonly machine: MachineProbe;
}

/** The user's further ids, if a process can be given them here. */
async function usableIds(shim: string): Promise<SubordinateIds | undefined> {
	const ids = subordinateIds();
	if (!ids) return undefined;
	const [command = '', ...args] = namespacePrefix(shim, ids);
	return await promisify(execFile)(command, [...args, '/bin/true']).then(
		() => ids,
		() => undefined,
	);
}

function namespacePrefix(shim: string, ids: SubordinateIds): readonly string[] {
	const { uid, gid } = mapsOf(userOfThisProcess() ?? { uid: 0, gid: 0 }, ids);
	return [shim, 'userns', uid, gid];
}

/** Removes a folder with files of the users of containers. */
async function removeAs(shim: string, ids: SubordinateIds, path: string): Promise<void> {
	const [command = '', ...args] = namespacePrefix(shim, ids);
	await promisify(execFile)(command, [...args, '/bin/rm', '-rf', '--', path]);
}
