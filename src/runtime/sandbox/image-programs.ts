/**
 * The programs of images: the store of images, the process that pulls into it, and for each container the root file system,
 * program, user and isolation that its image and its Pod say.
 *
 * Read in this order: image-programs.ts, image-access.ts (store and worker), worker/ (pulling), image-program.ts, image-user.ts,
 * image-box.ts (rules), subordinate-ids.ts and layer-files.ts (what the machine grants).
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerConfig } from '../../api/contract/container-config.ts';
import type { RuntimeTraits } from '../../api/contract/runtime-traits.ts';
import { removeTree } from '../../base/files/remove-tree.ts';
import { messageOf } from '../../base/message-of.ts';
import { digestOf } from '../../image/digest.ts';
import type { ImageConfig } from '../../image/manifests/image-config.ts';
import {
	InvalidImageNameError,
	pullReference,
	referenceText,
	repositoryText,
} from '../../image/names/image-reference.ts';
import type { ImageStore, StoredImage } from '../../image/store/image-store.ts';
import { ContainerStartError, ImageError, type PulledImage, type PullOptions } from '../contract.ts';
import type { RuntimeMachine } from '../process/honoured.ts';
import type { HostSandboxConfig } from '../process/launcher/protocol.ts';
import type { ProgramSource, SourcedProgram, WantedContainer } from '../process/program-source.ts';
import { userOfThisProcess } from '../process/shim/host-users.ts';
import { type MachineProbe, probeMachine } from '../process/shim/probe.ts';
import { filterFile } from '../process/shim/shim-file.ts';
import type { ContainerRoot } from '../process/shim/shim-request.ts';
import { imageTraits } from './honoured.ts';
import { ImageAccess, type ImageAccessOptions, imagesRefusal } from './image-access.ts';
import { type ImageBoxFacts, imageBoxOf, type SubordinateIds } from './image-box.ts';
import { imageProgramOf } from './image-program.ts';
import { type ImageUser, imageUserOf, UnknownUser, type UserDatabases, userNameOf } from './image-user.ts';
import { mayUse } from './pull-access.ts';
import { SandboxImages } from './sandbox-images.ts';
import { type ImageWorker, WorkerError } from './worker/image-worker.ts';
import type { PullProgress } from './worker/worker-protocol.ts';

/** The parts and settings of an {@link ImagePrograms}. */
export interface ImageProgramsOptions extends Omit<ImageAccessOptions, 'keepsBlobs'> {
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
	readonly ids: SubordinateIds | undefined;
	readonly store: ImageStore;
	readonly worker: ImageWorker;
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

/** See the header of this file. */
export class ImagePrograms implements ProgramSource {
	readonly name = 'sandbox';
	readonly images = new SandboxImages(() => this.#parts().store);
	readonly #options: ImageProgramsOptions;
	readonly #known = new Map<string, KnownImage>();
	#started: Started | undefined;

	constructor(options: ImageProgramsOptions) {
		this.#options = options;
	}

	async start(shim: string | undefined): Promise<MachineProbe> {
		const { imageFolder } = this.#options;
		await mkdir(imageFolder, { recursive: true, mode: 0o700 });
		const trial = await makeTrial(imageFolder);
		const machine = await probeMachine(shim, trial);
		await removeTree(trial);
		const refusal = imagesRefusal(shim, machine);
		if (refusal !== undefined) throw new Error(refusal);
		const access = await ImageAccess.on({ shim, machine }, this.#options);
		this.#started = {
			machine,
			canOverlay: machine.canOverlay === true,
			ids: access.ids,
			store: await access.openStore(),
			worker: access.worker(),
		};
		return machine;
	}

	traitsOn(machine: RuntimeMachine): RuntimeTraits {
		const hasIds = machine.isolation.level === 'root' || this.#started?.ids !== undefined;
		return imageTraits(machine, { hasIds });
	}

	async pull(image: string, { pullSecrets = [] }: PullOptions): Promise<PulledImage> {
		const { worker } = this.#parts();
		referenceOf(image);
		try {
			const { sizeBytes } = await worker.call('pull', { image, pullSecrets }, (progress) =>
				this.#options.onProgress?.(image, progress),
			);
			const stored = await this.#find(image);
			if (!stored) throw new Error(`the image was removed while it was pulled`);
			return { imageRef: imageRefOf(image, stored), sizeBytes };
		} catch (error) {
			const hint = error instanceof WorkerError ? error.hint : undefined;
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
		if (!found || !mayUse(found.access, image, pullSecrets)) return undefined;
		return { imageRef: imageRefOf(image, found) };
	}

	async prepare(id: string, { config, sandbox }: WantedContainer): Promise<SourcedProgram> {
		const stored = await this.#find(config.image);
		if (!stored)
			throw new ContainerStartError('CreateContainerError', `image "${config.image}" is not present`);
		const image = await this.#knownImage(stored);
		const user = userOf(config, sandbox, image);
		const program = imageProgramOf(config, image.config, { hostname: sandbox.hostname, user });
		if (!program)
			throw new ContainerStartError(
				'CreateContainerError',
				`failed to generate container "${id}" spec: failed to generate spec: no command specified`,
			);
		const { store, machine, ids } = this.#parts();
		const own = userOfThisProcess() ?? { uid: 0, gid: 0 };
		const facts: ImageBoxFacts = {
			...machine,
			uid: own.uid,
			gid: own.gid,
			filter: filterFile(),
			subordinateIds: ids,
		};
		const rootId = this.#rootId(id);
		const root = await this.#rootOf(rootId, stored);
		const resolvConf = await copyResolvConf(store.folders.container(rootId));
		const box = imageBoxOf(config, sandbox, { image: { root, user, resolvConf }, facts });
		void store.touch(stored.id);
		const stopSignal = config.stopSignal ?? (image.config.stopSignal || undefined);
		return {
			program,
			imageRef: imageRefOf(config.image, stored),
			...(box && { box }),
			...(stopSignal !== undefined && { stopSignal }),
		};
	}

	async release(ids: readonly string[]): Promise<void> {
		const { store } = this.#parts();
		for (const id of ids) await store.roots.remove(this.#rootId(id));
	}

	/** Removes the roots of other containers of this owner, and those whose owner is gone. */
	async releaseOthers(ids: ReadonlySet<string>): Promise<void> {
		const { store } = this.#parts();
		const kept = new Set([...ids].map((id) => this.#rootId(id)));
		for (const { id, owner } of await store.roots.list()) {
			const isOurs = owner === this.#options.owner;
			if (isOurs ? !kept.has(id) : !existsSync(owner)) await store.roots.remove(id);
		}
	}

	/** The id of a container in the store, which other owners may share. */
	#rootId(id: string): string {
		return `${digestOf(this.#options.owner).slice('sha256:'.length, 'sha256:'.length + 8)}_${id}`;
	}

	async stop(): Promise<void> {
		this.#started?.worker.stop();
		await this.#started?.store.close();
		this.#started = undefined;
	}

	#parts(): Started {
		if (!this.#started) throw new Error('the runtime is not started');
		return this.#started;
	}

	async #find(image: string): Promise<StoredImage | undefined> {
		const { store } = this.#parts();
		return await store.find(/^sha256:[0-9a-f]{64}$/.test(image) ? image : referenceText(referenceOf(image)));
	}

	async #knownImage(stored: StoredImage): Promise<KnownImage> {
		const known = this.#known.get(stored.id);
		if (known) return known;
		const { store } = this.#parts();
		const view = await store.layers.view(stored.layers.map(({ chainId }) => chainId));
		const read = async (path: string): Promise<string | undefined> => {
			const entry = view.resolve(path);
			if (!entry?.stats.isFile() || entry.stats.size > LONGEST_DATABASE_BYTES) return undefined;
			return await readFile(join(entry.layer.root, entry.path), 'utf8');
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
	async #rootOf(containerId: string, { id: imageId }: StoredImage): Promise<ContainerRoot> {
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

function referenceOf(image: string): ReturnType<typeof pullReference> {
	try {
		return pullReference(image);
	} catch (error) {
		if (!(error instanceof InvalidImageNameError)) throw error;
		// The kubelet's text; its name of the image is the Pod's.
		throw new ImageError(
			'InvalidImageName',
			`Failed to apply default image tag ${JSON.stringify(image)}: ${error.message}`,
		);
	}
}

/** The name with the digest that its registry gave it; the id of an image that no registry knows. */
function imageRefOf(image: string, { id, names }: StoredImage): string {
	if (image === id) return id;
	const reference = referenceOf(image);
	const digest = names.find(({ name }) => name === referenceText(reference))?.targetDigest;
	return digest === undefined ? id : `${repositoryText(reference)}@${digest}`;
}

/**
 * Who a container runs as. Throws ContainerStartError if the image lacks the user that it names, or if the container must
 * not run as root and would (upstream: `verifyRunAsNonRoot`).
 */
function userOf(
	{ security, name }: ContainerConfig,
	{ podName, podNamespace, podUid }: HostSandboxConfig,
	{ config, databases }: KnownImage,
): ImageUser {
	const pod = `(pod: "${podName}_${podNamespace}(${podUid})", container: ${name})`;
	const refuse = (why: string): never => {
		throw new ContainerStartError(
			'CreateContainerConfigError',
			`container has runAsNonRoot and ${why} ${pod}`,
		);
	};
	const named = userNameOf(config.user);
	if (security.runAsNonRoot && security.runAsUser === undefined && named !== undefined)
		refuse(`image has non-numeric user (${named}), cannot verify user is non-root`);
	let user: ImageUser;
	try {
		user = imageUserOf(security, config.user, databases);
	} catch (error) {
		if (!(error instanceof UnknownUser)) throw error;
		throw new ContainerStartError('CreateContainerError', `failed to generate spec: ${error.message}`);
	}
	if (security.runAsNonRoot && user.uid === 0) refuse('image will run as root');
	return user;
}

/** The container's own copy of the machine's configuration of names. */
async function copyResolvConf(folder: string): Promise<string> {
	const path = join(folder, 'resolv.conf');
	const text = await readFile('/etc/resolv.conf').catch(() => '');
	await writeFile(path, text, { mode: 0o644 });
	return path;
}

/** The folders of a trial container. */
async function makeTrial(imageFolder: string): Promise<string> {
	const folder = join(imageFolder, `trial-${process.pid}`);
	await removeTree(folder);
	for (const name of ['lower', 'upper', 'work', 'root']) await mkdir(join(folder, name), { recursive: true });
	return folder;
}
