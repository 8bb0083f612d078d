import { makeTinyImage } from '../../testing/tiny-image.ts';
import { serveImages, type TinyRegistry } from '../../testing/tiny-registry.ts';
import { EngineClient } from '../engine/engine-client.ts';
import { EngineImages } from '../engine/engine-images.ts';
import { type EngineDaemon, startEngine } from './engine-daemon.ts';

/** What an open fixture has. */
export interface OpenFixture {
	readonly engine: EngineDaemon;
	readonly registry: TinyRegistry;
	/** The same with passwords. */
	readonly privateRegistry: TinyRegistry;
	/** The name of an image that the engine has. */
	readonly known: string;
}

/** An engine and a registry for the tests of a file, started when the first of them needs it. */
export class EngineFixture {
	readonly #name: EngineDaemon['name'];
	#opened: Promise<OpenFixture> | undefined;

	constructor(name: EngineDaemon['name']) {
		this.#name = name;
	}

	open(): Promise<OpenFixture> {
		this.#opened ??= this.#open();
		return this.#opened;
	}

	async close(): Promise<void> {
		const opened = await this.#opened?.catch(() => undefined);
		await opened?.engine.stop();
		opened?.registry.close();
		opened?.privateRegistry.close();
	}

	async #open(): Promise<OpenFixture> {
		const registry = await serveImages({
			'stint/test': { image: makeTinyImage() },
			'stint/app': { image: makeTinyImage({ User: 'app', Entrypoint: ['echo', 'entry'], Cmd: ['cmd'] }) },
		});
		const served = { image: makeTinyImage({ User: '1000' }), password: 'secret' };
		const privateRegistry = await serveImages({ 'stint/private': served });
		const engine = await startEngine(this.#name, [registry.host, privateRegistry.host]);
		const known = `${registry.host}/stint/test`;
		await new EngineImages(new EngineClient(engine.socketPath)).pull(known);
		return { engine, registry, privateRegistry, known };
	}
}
