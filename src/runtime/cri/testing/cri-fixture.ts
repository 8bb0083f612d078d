import { SystemClock } from '../../../base/clock.ts';
import { makeTinyImage } from '../../testing/tiny-image.ts';
import { serveImages, type TinyRegistry } from '../../testing/tiny-registry.ts';
import { CriClient } from '../client/cri-client.ts';
import { CRI } from '../client/cri-methods.ts';
import { type Containerd, startContainerd } from './containerd.ts';

/** What an open fixture has. */
export interface OpenCriFixture {
	readonly containerd: Containerd;
	readonly registry: TinyRegistry;
	/** The same with passwords. */
	readonly privateRegistry: TinyRegistry;
	/** The name of an image that containerd has. */
	readonly known: string;
}

/** containerd and a registry for the tests of a file, started when the first of them needs it. */
export class CriFixture {
	readonly #network: string | undefined;
	#opened: Promise<OpenCriFixture> | undefined;

	/** `network` is the configuration of CNI, if Pods have a network of their own. */
	constructor(network?: string) {
		this.#network = network;
	}

	open(): Promise<OpenCriFixture> {
		this.#opened ??= this.#open();
		return this.#opened;
	}

	async close(): Promise<void> {
		const opened = await this.#opened?.catch(() => undefined);
		await opened?.containerd.stop();
		opened?.registry.close();
		opened?.privateRegistry.close();
	}

	async #open(): Promise<OpenCriFixture> {
		const registry = await serveImages({
			'stint/test': { image: makeTinyImage() },
			'stint/pause': { image: makeTinyImage({ Entrypoint: ['sleep', '1000000'] }) },
			'stint/own': { image: makeTinyImage({ Labels: { own: 'yes' } }) },
			'stint/app': { image: makeTinyImage({ User: 'app', Entrypoint: ['echo', 'entry'], Cmd: ['cmd'] }) },
		});
		const served = { image: makeTinyImage({ User: '1000' }), password: 'secret' };
		const privateRegistry = await serveImages({ 'stint/private': served });
		const containerd = await startContainerd({
			pauseImage: `${registry.host}/stint/pause:latest`,
			...(this.#network !== undefined && { network: this.#network }),
		});
		const known = `${registry.host}/stint/test`;
		const client = new CriClient(containerd.socketPath, new SystemClock({ keepsAlive: true }));
		await client.call(CRI.pullImage, { image: { image: `${known}:latest` } });
		await client.close();
		return { containerd, registry, privateRegistry, known };
	}
}
