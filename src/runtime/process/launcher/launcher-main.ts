/**
 * The main program of the launcher: a small process, one per data folder, that starts the programs of Pods. It works in
 * its working directory, and exits by itself once no client is connected and no container runs. It ignores SIGINT,
 * SIGTERM and SIGHUP, which terminals and service managers send to all processes: Pods outlive the server.
 *
 * With {@link REMOVE_WITH_CLIENT} it belongs to one client. If that client disconnects without `killAll`, because it
 * crashed for example, the launcher kills all containers, removes the folder that the option names, and exits.
 */
import { writeSync } from 'node:fs';
import { SystemClock } from '../../../base/clock.ts';
import { folderIdentity } from '../folders/folder-identity.ts';
import { RemovableFolder } from '../folders/removable-folder.ts';
import { closeInherited } from '../output/inherited-descriptors.ts';
import { ErrorLog } from './error-log.ts';
import { LAUNCHER_LOCK } from './launcher-files.ts';
import { LauncherLife } from './launcher-life.ts';
import { LauncherLock } from './launcher-lock.ts';
import { identify } from './process-table.ts';
import { EXIT_TAKEN, READY, REMOVE_WITH_CLIENT, WITHOUT_SHIM } from './protocol.ts';

const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;

closeInherited();
main().catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)));

async function main(): Promise<void> {
	const clock = new SystemClock();
	const folder = folderIdentity('.') ?? '';
	const lock = LauncherLock.take(LAUNCHER_LOCK, { ...identify(process.pid, clock.now()), folder });
	if (lock) await launch(clock, lock);
	else process.exitCode = EXIT_TAKEN;
}

async function launch(clock: SystemClock, lock: LauncherLock): Promise<void> {
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
	const { add: onError } = new ErrorLog(clock);
	const option = process.argv.indexOf(REMOVE_WITH_CLIENT);
	const removable = option < 0 ? undefined : new RemovableFolder(process.argv[option + 1] ?? '');
	try {
		const usesShim = !process.argv.includes(WITHOUT_SHIM);
		await LauncherLife.start({ clock, lock, removable, usesShim, onError });
	} catch (error) {
		lock.release();
		throw error;
	}
	// From here on the launcher has running Pods: an unexpected error must not end them with it.
	process.on('uncaughtException', onError);
	writeSync(STANDARD_OUTPUT, READY);
}

/** Reports why the launcher did not start: the client reads it from the launcher's log. */
function fail(message: string): void {
	process.exitCode = 1;
	try {
		writeSync(STANDARD_ERROR, `${message}\n`);
	} catch {
		// The disk may be full.
	}
}
