/** The image worker: see worker-protocol.ts. Started by image-worker.ts. */
import { createReadStream } from 'node:fs';
import { SystemClock } from '../../../base/clock.ts';
import { JsonLines } from '../../../base/json/json-lines.ts';
import { messageOf } from '../../../base/message-of.ts';
import { SystemRandom } from '../../../base/random.ts';
import { loadImages } from '../../../image/archives/load-images.ts';
import { machinePlatform } from '../../../image/manifests/platform.ts';
import { readRegistriesConfig } from '../../../image/registry/hosts/registries-config.ts';
import { Registry } from '../../../image/registry/registry.ts';
import { RegistryError } from '../../../image/registry/registry-error.ts';
import { ImageStore } from '../../../image/store/image-store.ts';
import { OWN_FILES } from '../../files/container-files.ts';
import { shimLayerFiles } from '../layer-files.ts';
import { pullForPod } from './pull-for-pod.ts';
import type {
	BelowRequest,
	FileRequest,
	FromWorker,
	LoadedRecord,
	WorkerCall,
	WorkerCalls,
	WorkerFailure,
	WorkerSettings,
} from './worker-protocol.ts';

const READ_BYTES = 256 << 10;

const clock = new SystemClock({ keepsAlive: true });
const random = new SystemRandom();

function send(line: FromWorker): void {
	process.stdout.write(`${JSON.stringify(line)}\n`);
}

function failureOf(error: unknown): WorkerFailure {
	const hint = error instanceof RegistryError ? error.hint : undefined;
	return { message: messageOf(error), ...(hint !== undefined && { hint }) };
}

/** How long the calls that are given up may take to end. */
const GIVE_UP_MS = 2000;

/** The settings, and what stays open between calls. */
class Worker {
	readonly #settings: WorkerSettings;
	readonly #end = new AbortController();
	readonly #running = new Set<Promise<unknown>>();
	#store: Promise<ImageStore> | undefined;

	constructor(settings: WorkerSettings) {
		this.#settings = settings;
	}

	/** Performs a call, and sends its result. */
	begin(call: WorkerCall): void {
		const running = this.#perform(call)
			.then(
				(result) => send({ id: call.id, result }),
				(error: unknown) => send({ id: call.id, failure: failureOf(error) }),
			)
			.finally(() => this.#running.delete(running));
		this.#running.add(running);
	}

	/** Gives up the calls in progress. What they have left in the store is removed here, or when it is opened again. */
	async end(): Promise<void> {
		this.#end.abort(new Error('the server has ended'));
		await Promise.all(this.#running);
		await (await this.#store)?.close();
	}

	async #perform(call: WorkerCall): Promise<unknown> {
		const onFiles = performOnFiles(call);
		if (onFiles) return await onFiles;
		const { id, method, argument } = call;
		const store = await this.#opened();
		// The server's types ensure that the argument fits the method.
		if (method === 'pull') return await this.#pull(id, store, argument as Parameters<WorkerCalls['pull']>[0]);
		if (method === 'load') return await this.#load(store, argument as Parameters<WorkerCalls['load']>[0]);
		const { signal } = this.#end;
		if (method === 'copyVolume') {
			const volume = argument as Parameters<WorkerCalls['copyVolume']>[0];
			return await store.roots.createVolume({ ...volume, signal });
		}
		const request = argument as Parameters<WorkerCalls['copyRoot']>[0];
		// As in an overlay: no other user of the machine can enter the folder.
		return (await store.roots.createCopy({ ...request, setId: 'keep', signal })).merged;
	}

	/** The store, which stays open; the call after one that could not open it tries again. */
	async #opened(): Promise<ImageStore> {
		const { store: root, shim, overlays, hasOwners, keepsBlobs } = this.#settings;
		const onError = (error: unknown): void => send({ warning: messageOf(error) });
		this.#store ??= ImageStore.open({
			root,
			clock,
			random,
			policy: { ownership: hasOwners ? 'apply' : 'record', setId: 'keep' },
			files: shimLayerFiles(shim, { overlays, onError }),
			keepsBlobs,
			onError,
		});
		try {
			return await this.#store;
		} catch (error) {
			this.#store = undefined;
			throw error;
		}
	}

	async #load(
		store: ImageStore,
		{ path }: Parameters<WorkerCalls['load']>[0],
	): Promise<readonly LoadedRecord[]> {
		const archive = createReadStream(path, { highWaterMark: READ_BYTES });
		const { signal } = this.#end;
		const loaded = await loadImages(store, archive, { platform: machinePlatform(), signal });
		return loaded.map(({ image: { id }, names }) => ({ id, names }));
	}

	async #pull(id: number, store: ImageStore, request: Parameters<WorkerCalls['pull']>[0]): Promise<unknown> {
		const { registriesPath, userAgent } = this.#settings;
		// Read at each pull, since the user may have just written it.
		const config = await readRegistriesConfig(registriesPath);
		const { env } = process;
		const registry = new Registry({
			clock,
			random,
			env,
			userAgent,
			registriesPath,
			endpoints: { config, insecureRegistries: [] },
		});
		try {
			const parts = { store, registry, signal: this.#end.signal };
			return await pullForPod(request, parts, (progress) => send({ id, progress }));
		} finally {
			registry.close();
		}
	}
}

/** Performs a call about files of a volume, which needs no store; undefined if it is another call. */
function performOnFiles({ method, argument }: WorkerCall): Promise<unknown> | undefined {
	if (method === 'makeSubPath' || method === 'textInVolume') {
		const { root, below } = argument as BelowRequest;
		if (method === 'makeSubPath') return OWN_FILES.makeSubPath(root, below);
		return OWN_FILES.textInVolume(root, below).then((text) => text ?? null);
	}
	if (method === 'removeFiles' || method === 'usageOf') {
		const { path } = argument as FileRequest;
		return method === 'usageOf' ? OWN_FILES.usageOf(path) : OWN_FILES.remove(path);
	}
	if (method === 'giveTo') {
		const { path, readers } = argument as Parameters<WorkerCalls['giveTo']>[0];
		return OWN_FILES.giveTo(path, readers);
	}
	if (method !== 'setOwnership') return undefined;
	const { path, options } = argument as Parameters<WorkerCalls['setOwnership']>[0];
	return OWN_FILES.setOwnership(path, options);
}

const lines = new JsonLines();
let worker: Worker | undefined;

process.stdin.on('data', (chunk: Buffer) => {
	for (const line of lines.push(chunk)) {
		if (worker) worker.begin(line as WorkerCall);
		else worker = new Worker(line as WorkerSettings);
	}
});
// The server is gone, or needs no images for a while.
process.stdin.on('end', () => {
	clock.setTimer(GIVE_UP_MS, () => process.exit(1));
	void worker
		?.end()
		.catch(() => {})
		.finally(() => process.exit());
});
// A server that is gone does not read the results of calls that are given up.
process.stdout.on('error', () => {});
