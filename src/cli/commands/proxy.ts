import { messageOf } from '../../base/message-of.ts';
import { type CliContext, CommandError, type CommonFlags } from '../context.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { type FilterRules, requestFilter } from '../proxy/request-filter.ts';

/** The flags of `proxy`. */
export interface ProxyFlags extends CommonFlags, FilterRules {
	readonly port: string;
	readonly address: string;
}

/**
 * `stint proxy`: serves the API of the server without credentials on a port of this machine, for browsers and programs
 * that have none, until it is interrupted. Resolves to the exit code.
 */
export async function proxy(context: CliContext, flags: ProxyFlags): Promise<number> {
	const port = Number(flags.port);
	if (!/^\d{1,5}$/.test(flags.port) || port > 65_535)
		throw new CommandError(`listen tcp: address ${flags.port}: invalid port`);
	const host = flags.address === 'localhost' ? '127.0.0.1' : flags.address;
	// Who reaches the port has the user's rights, and other machines have no reason to.
	if (!/^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host) && host !== '::1')
		throw new CommandError(`--address: ${flags.address} is not a loopback address such as 127.0.0.1 or ::1`);
	const filter = requestFilter(flags);
	const shown = host.includes(':') ? `[${host}]` : host;
	const interrupted = Promise.withResolvers<number>();
	const off = context.onInterrupt((by) => interrupted.resolve(EXIT_CODES[by]));
	try {
		const served = await context
			.serveApi(flags.kubeconfig, { host, port }, filter)
			.catch((error: unknown) => {
				if (error instanceof CommandError) throw error;
				const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
				const why = isTaken ? 'bind: address already in use' : messageOf(error);
				throw new CommandError(`listen tcp ${shown}:${port}: ${why}`);
			});
		context.stdout.print(`Starting to serve on ${shown}:${served.port}\n`);
		const code = await interrupted.promise;
		served.close();
		return code;
	} finally {
		off();
	}
}
