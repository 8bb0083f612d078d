/**
 * A small program with the flags and HTTP endpoints of kuard, the demo program that Job tutorials run: it generates RSA
 * keys and serves a work queue in memory. The image table assigns it to kuard's image name.
 *
 * Unlike containers with a network namespace each, several may run on one machine: if its port is in use, one that generates keys
 * serves on a free one. One that only serves ends: its clients would not find it there.
 * It listens on 127.0.0.1, so that no other machine reaches it; in a Pod with a network of its own, on all addresses.
 * KUARD_KEYGEN_BITS makes the keys smaller than 4096 bits, for tests.
 */
import type { Server } from 'node:http';
import { SystemClock } from '../../src/base/clock.ts';
import { codeOf } from '../../src/base/files/system-error.ts';
import { SystemRandom } from '../../src/base/random.ts';
import { FlagError, type Flags, parseFlags } from './flags.ts';
import { createKuardServer } from './http-server.ts';
import { QueueBroker } from './queue-broker.ts';
import { makeKey } from './ssh-key.ts';
import { runWorkload } from './workload.ts';

const EXIT_USAGE = 2;
const clock = new SystemClock();

/** Logs to standard error, as Go programs do: `2026/01/31 08:00:00 text`. */
function log(line: string): void {
	const time = new Date(clock.now()).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
	process.stderr.write(`${time} ${line}\n`);
}

async function main(args: readonly string[]): Promise<void> {
	const flags = parseFlags(args);
	const server = createKuardServer(new QueueBroker(clock, new SystemRandom()), log);
	await serve(server, flags);
	if (!flags.keygenEnable) return;
	const bits = Number(process.env.KUARD_KEYGEN_BITS ?? 4096);
	await runWorkload({ flags, clock, log, makeKey: () => makeKey(bits) });
	if (!flags.keygenExitOnComplete) return;
	process.exitCode = flags.keygenExitCode;
	server.close();
	server.closeAllConnections();
}

async function serve(server: Server, { address, keygenEnable }: Flags): Promise<void> {
	const colon = address.lastIndexOf(':');
	const everywhere = process.env.STINT_POD_NETWORK === 'pod' ? '0.0.0.0' : '127.0.0.1';
	const host = address.slice(0, colon) || everywhere;
	try {
		await listen(server, host, Number(address.slice(colon + 1)));
	} catch (error) {
		// The Pods of a Job share the ports of the machine, so this happens in all but one of them: do not log it.
		if (codeOf(error) !== 'EADDRINUSE' || !keygenEnable) throw error;
		await listen(server, host, 0);
	}
	const bound = server.address();
	log(`Serving on ${host}:${typeof bound === 'object' ? bound?.port : bound}`);
}

function listen(server: Server, host: string, port: number): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once('error', reject);
		server.listen({ host, port }, () => {
			server.off('error', reject);
			resolve();
		});
	});
}

main(process.argv.slice(2)).catch((error: unknown) => {
	if (error instanceof Error && codeOf(error) !== '') {
		log(error.message);
		process.exitCode = 1;
		return;
	}
	if (!(error instanceof FlagError)) throw error;
	process.stderr.write(`${error.message}\n`);
	process.exitCode = EXIT_USAGE;
});
