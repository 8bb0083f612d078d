import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { SystemClock } from '../../src/base/clock.ts';
import { removeTree } from '../../src/base/files/remove-tree.ts';
import { type ListImagesFlags, listImages } from '../../src/cli/images/list-images.ts';
import { type LoadArchiveFlags, loadArchive } from '../../src/cli/images/load-images.ts';
import { pruneImages } from '../../src/cli/images/prune-images.ts';
import { type PullImagesFlags, pullImages } from '../../src/cli/images/pull-images.ts';
import { removeImages } from '../../src/cli/images/remove-images.ts';
import { type SaveArchiveFlags, saveArchive } from '../../src/cli/images/save-images.ts';
import { tagImage } from '../../src/cli/images/tag-image.ts';
import { openTestStore } from '../../src/image/testing/test-store.ts';
import { StoreImages } from '../../src/main/images/store-images.ts';
import { CliWorld, type Ended } from './cli-world.ts';

/** A machine with images in a folder of its own. */
export class ImageWorld {
	readonly folder: string;
	readonly cli: CliWorld;

	private constructor(folder: string, cli: CliWorld) {
		this.folder = folder;
		this.cli = cli;
		cli.openImages = async () =>
			new StoreImages({
				imageFolder: join(folder, 'images'),
				registriesPath: join(folder, 'registries.yaml'),
				clock: new SystemClock({ keepsAlive: true }),
			});
	}

	static async open(t: TestContext): Promise<ImageWorld> {
		const folder = mkdtempSync(join(tmpdir(), 'stint-images-'));
		t.after(() => removeTree(folder));
		return new ImageWorld(folder, await CliWorld.open(t));
	}

	/** The store as a server has it open meanwhile. */
	async store(t: TestContext) {
		return await openTestStore(t, { root: join(this.folder, 'images/store') });
	}

	ls(flags: Partial<ListImagesFlags> = {}): Promise<Ended> {
		return this.run((context) => listImages(context, { trunc: true, ...flags }));
	}

	pull(words: readonly string[], flags: PullImagesFlags = {}): Promise<Ended> {
		return this.run((context) => pullImages(context, words, flags));
	}

	rm(words: readonly string[], force = false): Promise<Ended> {
		return this.run((context) => removeImages(context, words, { force }));
	}

	load(flags: LoadArchiveFlags): Promise<Ended> {
		return this.run((context) => loadArchive(context, flags));
	}

	save(words: readonly string[], flags: SaveArchiveFlags): Promise<Ended> {
		return this.run((context) => saveArchive(context, words, flags));
	}

	prune(all = false): Promise<Ended> {
		return this.run((context) => pruneImages(context, { all }));
	}

	tag(source: string, target: string): Promise<Ended> {
		return this.run((context) => tagImage(context, { source, target }, {}));
	}

	private run(command: (context: Parameters<typeof listImages>[0]) => Promise<unknown>): Promise<Ended> {
		return this.cli.run(async (context) => {
			const code = await command(context);
			return typeof code === 'number' ? code : 0;
		});
	}
}

/** The end of a command that succeeded. */
export const done = (stdout: string): Ended => ({ code: 0, stdout, stderr: '' });

/** The end of a command that failed. */
export const failed = (message: string): Ended => ({ code: 1, stdout: '', stderr: `error: ${message}\n` });

const STINT = join(import.meta.dirname, '../../src/main/stint.ts');

/** Runs the program of stint to its end. */
export async function runStint(
	t: TestContext,
	args: readonly string[],
	input: Uint8Array = new Uint8Array(),
): Promise<Ended & { readonly bytes: Buffer }> {
	const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', STINT, ...args]);
	t.after(() => child.kill('SIGKILL'));
	child.stdin.on('error', () => {}).end(input);
	const [bytes, stderr, [code]] = await Promise.all([
		buffer(child.stdout),
		text(child.stderr),
		once(child, 'close'),
	]);
	return { code, stdout: bytes.toString(), stderr, bytes };
}
