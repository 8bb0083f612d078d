/**
 * The programs of images: the store of images, the process that pulls into it, and for each container the root file system,
 * program, user and isolation that its image and its Pod say.
 *
 * Read in this order: image-programs.ts, image-machine.ts, worker/ (pulling), image-program.ts, image-user.ts, image-box.ts
 * and chroot-box.ts (rules), subordinate-ids.ts and layer-files.ts (what the machine grants).
 */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerConfig } from '../../api/contract/container-config.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { attempt } from '../../base/attempt.ts';
import { codeOf } from '../../base/files/system-error.ts';
import { messageOf } from '../../base/message-of.ts';
import { digestOf } from '../../image/digest.ts';
import type { ImageConfig } from '../../image/manifests/image-config.ts';
import { referenceText, repositoryText } from '../../image/names/image-reference.ts';
import type { ImageStore } from '../../image/store/image-store.ts';
import { type FoundImage, findImageRecord, type ImageRecord } from '../../image/store/records.ts';
import { ContainerStartError, ImageError, type PulledImage, type PullOptions } from '../contract.ts';
import type { ContainerFiles } from '../files/container-files.ts';
import { imageNameOf } from '../image-names.ts';
import { verifyNonRoot } from '../non-root.ts';
import type { RuntimeMachine } from '../process/honoured.ts';
import type { HostSandboxConfig } from '../process/launcher/protocol.ts';
import { podResolverFile, RESOLVER_FILE } from '../process/network/resolver.ts';
import type { ProgramSource, SourcedProgram, WantedContainer } from '../process/program-source.ts';
import { userOfThisProcess } from '../process/shim/host-users.ts';
import type { MachineProbe, SubordinateIds } from '../process/shim/probe.ts';
import { filterFile } from '../process/shim/shim-file.ts';
import type { ContainerBox, ContainerRoot } from '../process/shim/shim-request.ts';
import { chrootBoxOf } from './chroot-box.ts';
import { imageTraits } from './honoured.ts';
import { ImageAccess, type ImageAccessOptions } from './image-access.ts';
import { type ImageBoxFacts, imageBoxOf, RESOLV_CONF_PATH } from './image-box.ts';
import { imagesRefusal, probeForImages } from './image-machine.ts';
import { imageProgramOf } from './image-program.ts';
import { type ImageUser, imageUserOf, UnknownUser, type UserDatabases } from './image-user.ts';
import { ImageVolumes } from './image-volumes.ts';
import { isImageId, mayUse } from './may-use.ts';
import { SandboxImages } from './sandbox-images.ts';
import { discardStaleRoots } from './stale-roots.ts';
import { checkId } from './subordinate-ids.ts';
import { type ImageWorker, WorkerError } from './worker/image-worker.ts';
import { userFiles } from './worker/user-files.ts';
import type { PullProgress } from './worker/worker-protocol.ts';
import { WrittenBytes } from './written-bytes.ts';

/** The parts and settings of an {@link ImagePrograms}. */
export interface ImageProgramsOptions extends Omit<ImageAccessOptions, 'keepsBlobs' | 'keepsAlive'> {
	/** The data folder, whose containers these are: several servers may share a store of images. */
	readonly owner: string;
	/** Called while an image is pulled. */
	onProgress?(image: string, progress: PullProgress): void;
}

/** What is known once the machine was tried. */
interface Started {
	readonly machine: MachineProbe;
	/** Whether roots are overlays; otherwise they are copies. */
	readonly canOverlay: boolean;
	readonly access: ImageAccess;
	readonly store: ImageStore;
	readonly worker: ImageWorker;
	/** See ProgramSource.containerFiles. */
	readonly files: ContainerFiles | undefined;
}

/** An image's configuration and users, which never change. */
interface KnownImage {
	readonly config: ImageConfig;
	readonly databases: UserDatabases;
}

/** Images whose configuration is kept. */
const KEPT_IMAGES = 50;
/** The longest user database that is read. */
const LONGEST_DATABASE_BYTES = 1 << 20;

const PRESENT_HINT = 'the image is on this machine: imagePullPolicy IfNotPresent uses it as it is';

/** See the header of this file. */
export class ImagePrograms implements ProgramSource {
	readonly name = 'sandbox';
	readonly images = new SandboxImages(() => this.#parts().store);
	readonly #options: ImageProgramsOptions;
	readonly #known = new Map<string, KnownImage>();
	readonly #written: WrittenBytes;
	#started: Started | undefined;

	constructor(options: ImageProgramsOptions) {
		this.#options = options;
		this.#written = new WrittenBytes({
			clock: options.clock,
			measure: (id) => {
				const { store, access } = this.#parts();
				return store.roots.writtenBytes(this.#rootId(id), (folder) => access.measure(folder));
			},
		});
	}

	async start(shim: string | undefined): Promise<MachineProbe> {
		const machine = await probeForImages(shim, this.#options);
		const refusal = imagesRefusal(shim, machine);
		if (refusal !== undefined) throw new Error(refusal);
		const access = await ImageAccess.on({ shim, machine }, this.#options);
		const worker = access.worker();
		this.#started = {
			machine,
			canOverlay: machine.canOverlay === true && machine.level !== 'chroot',
			access,
			store: await access.openStore(),
			worker,
			files: access.ids && userFiles(worker, access.ids),
		};
		return { ...machine, ...(access.ids && { ids: access.ids }) };
	}

	get containerFiles(): ContainerFiles | undefined {
		return this.#started?.files;
	}

	traitsOn(machine: RuntimeMachine): RuntimeTraits {
		const hasIds = machine.isolation.level === 'root' || this.#started?.access.ids !== undefined;
		return imageTraits(machine, { hasIds });
	}

	async pull(image: string, { pullSecrets = [] }: PullOptions): Promise<PulledImage> {
		const { worker } = this.#parts();
		imageNameOf(image);
		try {
			const { sizeBytes } = await worker.call('pull', { image, pullSecrets }, (progress) =>
				this.#options.onProgress?.(image, progress),
			);
			const stored = await this.#find(image);
			if (!stored) throw new Error(`the image was removed while it was pulled`);
			return { imageRef: imageRefOf(image, stored), sizeBytes };
		} catch (error) {
			const present = await this.statusOf(image, { pullSecrets }).catch(() => undefined);
			const hint = present ? PRESENT_HINT : error instanceof WorkerError ? error.hint : undefined;
			throw new ImageError(
				'ErrImagePull',
				hint === undefined ? messageOf(error) : `${messageOf(error)} (${hint})`,
			);
		}
	}

	async statusOf(
		image: string,
		{ pullSecrets = [] }: PullOptions,
	): Promise<{ readonly imageRef: string } | undefined> {
		const found = await this.#find(image);
		if (!found || !mayUse(found.record.access, image, pullSecrets)) return undefined;
		return { imageRef: imageRefOf(image, found) };
	}

	async prepare(id: string, { config, sandbox }: WantedContainer): Promise<SourcedProgram> {
		const found = await this.#find(config.image);
		if (!found)
			throw new ContainerStartError('CreateContainerError', `image "${config.image}" is not present`);
		const { record } = found;
		const image = await this.#knownImage(record);
		const user = userOf(config, sandbox, image);
		checkUser(user, this.#parts().access.ids);
		const program = imageProgramOf(config, image.config, { hostname: sandbox.hostname, user });
		if (!program)
			throw new ContainerStartError(
				'CreateContainerError',
				`failed to generate container "${id}" spec: failed to generate spec: no command specified`,
			);
		const box = await this.#boxOf(this.#rootId(id), { config, sandbox }, { record, image, user });
		void this.#parts().store.touch(record.id);
		const stopSignal = config.stopSignal ?? (image.config.stopSignal || undefined);
		return {
			program,
			imageRef: imageRefOf(config.image, found),
			...(box && { box }),
			...(stopSignal !== undefined && { stopSignal }),
		};
	}

	/** The isolation of a container, with the files that it needs. */
	async #boxOf(
		rootId: string,
		{ config, sandbox }: Pick<WantedContainer, 'config' | 'sandbox'>,
		found: { readonly record: ImageRecord; readonly image: KnownImage; readonly user: ImageUser },
	): Promise<ContainerBox | undefined> {
		const { store, machine, access } = this.#parts();
		const { record, image, user } = found;
		const own = userOfThisProcess() ?? { uid: 0, gid: 0 };
		const facts: ImageBoxFacts = {
			...machine,
			uid: own.uid,
			gid: own.gid,
			filter: filterFile(),
			subordinateIds: access.ids,
		};
		const root = await this.#rootOf(rootId, record);
		const hasResolvConf = config.mounts.some(({ containerPath }) => containerPath === RESOLV_CONF_PATH);
		const resolvConf = hasResolvConf
			? undefined
			: await copyResolvConf(store.folders.container(rootId), sandbox);
		const view = { image: { root, user, resolvConf }, facts };
		// The volumes of the image are folders of its copy.
		if (machine.level === 'chroot') return chrootBoxOf(config, view);
		const mounts = await this.#volumes(rootId).mountsOf(config.mounts, { id: record.id, ...image.config });
		return imageBoxOf({ ...config, mounts }, sandbox, view);
	}

	writtenBytes(id: string): Promise<number> {
		return this.#written.of(id);
	}

	async release(ids: readonly string[]): Promise<void> {
		const { store } = this.#parts();
		this.#written.forget(ids);
		for (const id of ids) {
			await this.#volumes(this.#rootId(id)).release();
			await store.roots.remove(this.#rootId(id));
		}
	}

	/** Also removes roots whose owner is gone. The caller does not wait for the removal of their content. */
	async releaseOthers(ids: ReadonlySet<string>): Promise<void> {
		const { store } = this.#parts();
		const { owner, clock, onError } = this.#options;
		const kept = new Set([...ids].map((id) => this.#rootId(id)));
		await discardStaleRoots(store, { owner, kept, clock, onError });
		void store.emptyTrash();
	}

	#volumes(rootId: string): ImageVolumes {
		const { store, worker } = this.#parts();
		const { owner } = this.#options;
		return new ImageVolumes({ store, worker, owner, rootId, find: (image) => this.#find(image) });
	}

	/** The id of a container in the store, which other owners may share. */
	#rootId(id: string): string {
		return `${digestOf(this.#options.owner).slice('sha256:'.length, 'sha256:'.length + 8)}_${id}`;
	}

	async stop(): Promise<void> {
		await this.#started?.worker.stop();
		await this.#started?.store.close();
		this.#started = undefined;
	}

	#parts(): Started {
		if (!this.#started) throw new Error('the runtime is not started');
		return this.#started;
	}

	async #find(image: string): Promise<FoundImage | undefined> {
		const { folders } = this.#parts().store;
		return await findImageRecord(folders, isImageId(image) ? image : referenceText(imageNameOf(image)));
	}

	async #knownImage(stored: ImageRecord): Promise<KnownImage> {
		const known = this.#known.get(stored.id);
		if (known) return known;
		const { store } = this.#parts();
		const view = await store.layers.view(stored.layers.map(({ chainId }) => chainId));
		const read = async (path: string): Promise<string | undefined> => {
			// With the ids of several users, this process may not read what belongs to one of them: then numbers count.
			const entry = attempt(() => view.resolve(path));
			if (!entry?.stats.isFile() || entry.stats.size > LONGEST_DATABASE_BYTES) return undefined;
			return await readFile(join(entry.layer.root, entry.path), 'utf8').catch(() => undefined);
		};
		const databases = { passwd: await read('/etc/passwd'), group: await read('/etc/group') };
		const image = { config: await store.config(stored.id), databases };
		this.#known.set(stored.id, image);
		if (this.#known.size > KEPT_IMAGES)
			for (const [oldest] of this.#known) {
				this.#known.delete(oldest);
				break;
			}
		return image;
	}

	/** The root of a container, made if it does not exist. */
	async #rootOf(containerId: string, { id: imageId }: ImageRecord): Promise<ContainerRoot> {
		const { store, worker, canOverlay } = this.#parts();
		const request = { containerId, owner: this.#options.owner, imageId };
		if (canOverlay && (await store.roots.isMountable(imageId))) {
			const { lowers, upper, work, merged } = await store.roots.createOverlay(request);
			return { folder: merged, overlay: { lower: lowers, upper, work } };
		}
		const folder = store.folders.container(containerId);
		if (!existsSync(join(folder, 'container.json'))) await worker.call('copyRoot', request);
		return { folder: join(folder, 'merged') };
	}
}

/** The name with the digest that its registry gave it; the id of an image that no registry knows. */
function imageRefOf(image: string, { record, ref }: FoundImage): string {
	return ref ? `${repositoryText(imageNameOf(image))}@${ref.targetDigest}` : record.id;
}

/** Who a container runs as. Throws ContainerStartError if that is root and must not be, or a user that the image lacks. */
function userOf(
	container: ContainerConfig,
	sandbox: HostSandboxConfig,
	{ config, databases }: KnownImage,
): ImageUser {
	verifyNonRoot(container, sandbox, config.user);
	try {
		return imageUserOf(container.security, config.user, databases);
	} catch (error) {
		if (!(error instanceof UnknownUser)) throw error;
		throw new ContainerStartError('CreateContainerError', `failed to generate spec: ${error.message}`);
	}
}

/** Throws ContainerStartError if a user has no number in the user namespace of containers. */
function checkUser({ uid, gid, groups }: ImageUser, ids: SubordinateIds | undefined): void {
	try {
		checkId('user', uid, ids);
		for (const group of [gid, ...groups]) checkId('group', group, ids);
	} catch (error) {
		throw new ContainerStartError('CreateContainerConfigError', messageOf(error));
	}
}

/** The container's own copy of the machine's configuration of names. */
async function copyResolvConf(folder: string, { podRange }: HostSandboxConfig): Promise<string> {
	const path = join(folder, 'resolv.conf');
	const text = await readFile(podRange === undefined ? RESOLVER_FILE : podResolverFile()).catch(() => '');
	// Of a repeated call, the container may run, and may have changed it.
	await writeFile(path, text, { mode: 0o644, flag: 'wx' }).catch((error) => {
		if (codeOf(error) !== 'EEXIST') throw error;
	});
	return path;
}
