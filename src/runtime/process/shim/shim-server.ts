import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { POKE_NAME } from '../launcher/launcher-files.ts';
import { eventFileName } from './event-file.ts';
import { decodeEvent, type ShimEvent } from './shim-event.ts';

/** A server of the shim, which is a process, and the number of its file of events. */
export interface ShimServer {
	readonly number: number;
	readonly child: ChildProcess;
}

/** Where a server of the shim runs, and who learns of what it reports. */
export interface ShimServerOptions {
	/** The shim's executable file. */
	readonly file: string;
	/** The launcher's folder, which gets the file of events. */
	readonly folder: string;
	/** Called with the events that are in no file: those of sessions and networks. */
	onEvent(event: ShimEvent): void;
	onExit(): void;
}

/** Starts a server of the shim; resolves once it takes requests. Rejects with an Error if it cannot be started. */
export async function startShimServer(
	number: number,
	{ file, folder, onEvent, onExit }: ShimServerOptions,
): Promise<ShimServer> {
	const args = ['serve', join(folder, eventFileName(number)), join(folder, POKE_NAME)];
	const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true, env: {} });
	child.stdin.on('error', () => {});
	const ready = Promise.withResolvers<void>();
	child.once('error', ready.reject);
	child.once('exit', () => {
		ready.reject(new Error('the shim ended'));
		onExit();
	});
	// The first line says that it is ready; the others are events.
	let rest = '';
	child.stdout.setEncoding('latin1').on('data', (text: string) => {
		ready.resolve();
		const lines = `${rest}${text}`.split('\n');
		rest = lines.pop() ?? '';
		for (const event of lines.flatMap((line) => decodeEvent(line) ?? [])) onEvent(event);
	});
	await ready.promise;
	// It must not keep the launcher from exiting.
	child.unref();
	return { number, child };
}
