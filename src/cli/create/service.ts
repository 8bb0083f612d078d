import { services } from '../../api/core/service/definition.ts';
import type { ServicePort } from '../../api/core/service/schema.ts';
import { dns1123Subdomain, portName, portNumber } from '../../api/meta/names.ts';
import { quote } from '../../base/quote.ts';
import { parseInt32Flag } from '../args/parsed-flag.ts';
import { type CliContext, CommandError } from '../context.ts';
import { type CreateFlags, createNew, oneName } from './new-object.ts';

/** The flags of the commands of `create service`. */
export interface ServiceFlags extends CreateFlags {
	readonly tcp: readonly string[];
	readonly clusterip?: string;
	readonly nodePort?: string;
	readonly externalName?: string;
}

/** The types of Services, by the names of their commands. */
export const SERVICE_TYPES = {
	clusterip: 'ClusterIP',
	nodeport: 'NodePort',
	loadbalancer: 'LoadBalancer',
	externalname: 'ExternalName',
} as const;

/** `stint create service TYPE NAME`. Resolves to the exit code. */
export async function createService(
	context: CliContext,
	names: readonly string[],
	{ kind, ...flags }: ServiceFlags & { readonly kind: keyof typeof SERVICE_TYPES },
): Promise<number> {
	const name = oneName(names, `service ${kind}`);
	const type = SERVICE_TYPES[kind];
	const { tcp, clusterip = '', externalName = '' } = flags;
	if (type !== 'ExternalName' && clusterip !== 'None' && tcp.length === 0)
		throw new CommandError('at least one tcp port specifier must be provided');
	if (type === 'ExternalName' && dns1123Subdomain(externalName).length > 0)
		throw new CommandError(`invalid service external name ${externalName}`);
	const command = `create service ${kind}`;
	const nodePort = parseInt32Flag(flags.nodePort ?? '0', { flag: '--node-port', command });
	const ports = tcp.map((text) => ({ ...portOf(text), ...(nodePort > 0 && { nodePort }) }));
	const labels = { app: name };
	const spec = {
		...(ports.length > 0 && { ports }),
		selector: labels,
		...(clusterip !== '' && { clusterIP: clusterip }),
		type,
		...(externalName !== '' && { externalName }),
	};
	const manifest = { metadata: { name, labels }, spec, status: {} };
	const failure = `failed to create ${type} service: `;
	return createNew(context, { definition: services, manifest, failure }, flags);
}

/** A port from `<port>` or `<port>:<targetPort>`; its name is that text. */
function portOf(text: string): ServicePort {
	const [first = '', target] = text.split(':');
	const port = parsePort(first);
	return { name: text.replaceAll(':', '-'), protocol: 'TCP', port, targetPort: targetOf(target, port) };
}

function targetOf(text: string | undefined, port: number): number | string {
	if (text === undefined) return port;
	const isNumber = /^[-+]?\d+$/.test(text);
	const problems = isNumber ? portNumber(Number(text)) : portName(text);
	if (problems.length > 0) throw new CommandError(problems.join(','));
	return isNumber ? Number(text) : text;
}

/** As Go's strconv.ParseUint for 16 bits, with its errors. */
function parsePort(text: string): number {
	const because = /^\d+$/.test(text) ? Number(text) > 65_535 && 'value out of range' : 'invalid syntax';
	if (because) throw new CommandError(`strconv.ParseUint: parsing ${quote(text)}: ${because}`);
	return Number(text);
}
