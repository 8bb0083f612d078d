import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { SystemClock } from '../../base/clock.ts';
import { messageOf } from '../../base/message-of.ts';
import { CommandError } from '../../cli/context.ts';
import { continueWithoutOutput, onEndSignal } from '../interruptions.ts';
import { openLog } from '../log.ts';
import { onOwnLine } from '../own-line.ts';
import { dataFolder, defaultDataPath } from '../server/data-folder.ts';
import type { RegistrySettings } from './serve-registry.ts';

interface RegistryFlags {
	readonly port: string;
	readonly dataDir: string;
	readonly imageDir?: string;
	readonly hostName: readonly string[];
	readonly untilInputEnds?: boolean;
}

/** The port of Docker's registry. */
const DEFAULT_PORT = 5000;

/** Registers `stint registry`. */
export function registerRegistryCommand(program: Command): void {
	program
		.command('registry')
		.description('serve a registry on this machine, to which docker push brings images for Jobs')
		.addOption(
			new Option('--port <number>', 'port to listen on at 127.0.0.1; 0 for any free port').default(
				String(DEFAULT_PORT),
				String(DEFAULT_PORT),
			),
		)
		.option('--data-dir <dir>', 'data folder of the server', defaultDataPath(process.env))
		.option('--image-dir <dir>', 'folder of the images (default: images in the data folder)')
		.option('--host-name <name...>', 'further names of this machine by which clients call the registry', [])
		.addOption(new Option('--until-input-ends', 'for stint server').hideHelp())
		.action((flags: RegistryFlags) => runRegistry(flags));
}

/** Runs the registry until a signal stops it. Sets the exit code: 0 after a signal, 1 after an error. */
async function runRegistry(flags: RegistryFlags): Promise<void> {
	const stop = new AbortController();
	continueWithoutOutput();
	onEndSignal(() => {
		if (stop.signal.aborted) process.exit(0);
		stop.abort();
	});
	// The server that started this process is gone, however it ended.
	if (flags.untilInputEnds) process.stdin.on('end', () => stop.abort()).resume();
	try {
		const settings = settingsOf(flags);
		const { serveRegistry } = await import('./serve-registry.ts');
		await serveRegistry({
			...settings,
			log: openLog(new SystemClock()),
			signal: stop.signal,
			onReady: (opened) => {
				const text = `stint registry is ready at http://localhost:${opened}\n  docker push localhost:${opened}/NAME\n`;
				process.stdout.write(onOwnLine(process.stdout, text));
			},
		});
		process.exitCode = 0;
	} catch (error) {
		process.stderr.write(`error: ${messageOf(error)}\n`);
		process.exitCode = 1;
	}
}

function settingsOf({
	port,
	dataDir,
	imageDir,
	hostName,
}: RegistryFlags): Pick<RegistrySettings, 'port' | 'imageFolder' | 'registriesPath' | 'hostNames'> {
	const number = Number(port);
	if (port === '' || !Number.isInteger(number) || number < 0 || number > 65_535)
		throw new CommandError(`--port: must be a whole number from 0 to 65535, not "${port}"`);
	for (const [flag, value] of Object.entries({ '--data-dir': dataDir, '--image-dir': imageDir }))
		if (value === '') throw new CommandError(`${flag}: must not be empty`);
	for (const name of hostName)
		if (!/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(name))
			throw new CommandError(`--host-name: "${name}" is not the name of a host; it has no port`);
	const { imageStore, registries } = dataFolder(dataDir);
	return {
		port: number,
		imageFolder: imageDir === undefined ? imageStore : resolve(imageDir),
		registriesPath: registries,
		hostNames: hostName.map((name) => name.toLowerCase()),
	};
}
