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
import { shimLayerFiles } from '../layer-files.ts';
import { pullForPod } from './pull-for-pod.ts';
import type {
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

/** The settings, and what stays open between calls. */
class Worker {
	readonly #settings: WorkerSettings;
	readonly #store: Promise<ImageStore>;

	constructor(settings: WorkerSettings) {
		this.#settings = settings;
		const { store: root, shim, isUser, hasOwners, keepsBlobs } = settings;
		this.#store = ImageStore.open({
			root,
			clock,
			random,
			policy: { ownership: hasOwners ? 'apply' : 'record', setId: 'keep' },
			files: shimLayerFiles(shim, { isUser }),
			keepsBlobs,
		});
		// Each call reports it.
		this.#store.catch(() => {});
	}

	async perform({ id, method, argument }: WorkerCall): Promise<unknown> {
		// The server's types ensure that the argument fits the method.
		if (method === 'pull') return await this.#pull(id, argument as Parameters<WorkerCalls['pull']>[0]);
		if (method === 'load') return await this.#load(argument as Parameters<WorkerCalls['load']>[0]);
		const request = argument as Parameters<WorkerCalls['copyRoot']>[0];
		const { roots } = await this.#store;
		return (await roots.createCopy({ ...request, setId: 'strip' })).merged;
	}

	async end(): Promise<void> {
		await (await this.#store).close();
	}

	async #load({ path }: Parameters<WorkerCalls['load']>[0]): Promise<readonly LoadedRecord[]> {
		const store = await this.#store;
		const archive = createReadStream(path, { highWaterMark: READ_BYTES });
		const loaded = await loadImages(store, archive, { platform: machinePlatform() });
		return loaded.map(({ image: { id }, names }) => ({ id, names }));
	}

	async #pull(id: number, request: Parameters<WorkerCalls['pull']>[0]): Promise<unknown> {
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
			const parts = { store: await this.#store, registry };
			return await pullForPod(request, parts, (progress) => send({ id, progress }));
		} finally {
			registry.close();
		}
	}
}

const lines = new JsonLines();
let worker: Worker | undefined;
let running = 0;
let hasEnded = false;

/** Exits once nothing remains to do. */
async function endIfIdle(): Promise<void> {
	if (!hasEnded || running > 0) return;
	await worker?.end().catch(() => {});
}

process.stdin.on('data', (chunk: Buffer) => {
	for (const line of lines.push(chunk)) {
		if (!worker) {
			worker = new Worker(line as WorkerSettings);
			continue;
		}
		const call = line as WorkerCall;
		running += 1;
		void worker
			.perform(call)
			.then(
				(result) => send({ id: call.id, result }),
				(error: unknown) => send({ id: call.id, failure: failureOf(error) }),
			)
			.finally(() => {
				running -= 1;
				return endIfIdle();
			});
	}
});
// The server is gone: what was begun is given up, and the next process that opens the store removes it.
process.stdin.on('end', () => {
	hasEnded = true;
	if (running > 0) process.kill(process.pid, 'SIGKILL');
	void endIfIdle();
});
