/**
 * The launcher: a small process that starts the programs of Pods, one per data folder. It works in the
 * folder it is started in and ends by itself once no client is connected and nothing runs. Signals that
 * a terminal or a service manager sends to everything do not end it: Pods outlive the server.
 *
 * With {@link REMOVE_WITH_CLIENT} it belongs to one client. If that goes before it has had everything killed,
 * in whichever way it ended, the launcher does it, removes the folder that the option names, and ends.
 */
import { chmodSync, rmSync, writeSync } from 'node:fs';
import { SystemClock } from '../../../base/clock.ts';
import { LogTime } from '../log-time.ts';
import { DescriptorPool } from './descriptor-pool.ts';
import { type DescriptorShares, descriptorLimit, shareDescriptors } from './descriptor-shares.ts';
import { FifoPool } from './fifo-pool.ts';
import { closeInherited } from './inherited-descriptors.ts';
import { Launcher } from './launcher.ts';
import { LAUNCHER_LOCK, LauncherLock } from './launcher-lock.ts';
import { LauncherServer } from './launcher-server.ts';
import { Places } from './places.ts';
import { identify } from './process-table.ts';
import { EXIT_TAKEN, READY, REMOVE_WITH_CLIENT, SOCKET_NAME } from './protocol.ts';
import { RemovableFolder } from './removable-folder.ts';
import { Sweeper } from './sweeper.ts';

/** How long a launcher waits for its first client. */
const FIRST_CLIENT_MS = 10_000;
const STANDARD_OUTPUT = 1;

closeInherited();
const clock = new SystemClock();
const lock = LauncherLock.take(LAUNCHER_LOCK, identify(process.pid, clock.now()));
if (lock) {
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
	launch(lock).catch((error: unknown) => {
		process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
		process.exitCode = 1;
		lock.release();
	});
} else {
	process.exitCode = EXIT_TAKEN;
}

async function launch(lock: LauncherLock): Promise<void> {
	const onError = (error: unknown): void => {
		process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
	};
	const option = process.argv.indexOf(REMOVE_WITH_CLIENT);
	const removed = option < 0 ? undefined : new RemovableFolder(process.argv[option + 1] ?? '');
	let isWanted = true;
	let isAbandoned = false;
	let ended = false;
	const endIfDone = (): void => {
		if (ended || !launcher.isIdle || (isWanted && !server.isAlone)) return;
		ended = true;
		server.close();
		launcher.close();
		pipes.close();
		lock.release();
		if (isAbandoned) removed?.remove(onError);
		// Last, so that a client that is still there sees by it that the folder is left alone.
		server.dismiss();
	};
	const endNow = (): void => {
		isAbandoned = true;
		// Nothing new is begun: a client that connects now finds no launcher here.
		server.close();
		launcher.killAll().then(onKilled, onError);
	};
	const onAlone = (): void => (removed ? endNow() : endIfDone());
	const shares = shareDescriptors(descriptorLimit());
	const pipes = new FifoPool('pipes');
	const sweeper = new Sweeper(clock, endIfDone);
	const launcher = await Launcher.open({
		clock,
		logTime: new LogTime(clock, process.hrtime.bigint),
		logDescriptors: new DescriptorPool(shares.logs),
		places: new Places({ count: shares.containers, whyNone: whyNoPlace(shares), clock }),
		pipes,
		sweeper,
		folder: process.cwd(),
		onError,
		onExit: (status) => server.tell(status),
		onIdle: endIfDone,
	});
	const onKilled = (): void => {
		isWanted = false;
		endIfDone();
	};
	const { pid } = process;
	const server = new LauncherServer({ target: launcher, pid, onAlone, onKilled, onError });
	rmSync(SOCKET_NAME, { force: true });
	// A relative path, because the system takes only about 100 characters.
	await server.listen(SOCKET_NAME);
	chmodSync(SOCKET_NAME, 0o600);
	// From here on there are Pods to look after, whatever goes wrong elsewhere.
	process.on('uncaughtException', onError);
	writeSync(STANDARD_OUTPUT, READY);
	clock.setTimer(FIRST_CLIENT_MS, () => {
		if (server.isAlone) onAlone();
	});
}

function whyNoPlace({ limit, containers }: DescriptorShares): string {
	return `the limit of ${limit} on open files (ulimit -n) is enough for ${containers} containers at once, and as many run`;
}
