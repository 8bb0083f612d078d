import { deployments } from '../../api/apps/deployment/definition.ts';
import { nameSuffix } from '../../api/meta/names.ts';
import { SystemRandom } from '../../base/random.ts';
import { parseInt32Flag } from '../args/parsed-flag.ts';
import { type CliContext, CommandError } from '../context.ts';
import { type CreateFlags, createNew, oneName } from './new-object.ts';

/** The flags of `create deployment`. */
export interface CreateDeploymentFlags extends CreateFlags {
	readonly image: readonly string[];
	readonly port?: string;
	readonly replicas?: string;
}

const COMMAND = 'create deployment';

/** `stint create deployment NAME --image=IMAGE [-- COMMAND...]`. Resolves to the exit code. */
export async function createDeployment(
	context: CliContext,
	{ names, command }: { readonly names: readonly string[]; readonly command: readonly string[] },
	flags: CreateDeploymentFlags,
): Promise<number> {
	const name = oneName(names, 'deployment');
	const { image: images, port, replicas = '1' } = flags;
	if (images.length === 0) throw new CommandError('required flag(s) "image" not set');
	if (images.length > 1 && command.length > 0)
		throw new CommandError('cannot specify multiple --image options and command');
	const labels = { app: name };
	const ports =
		port === undefined ? [] : [{ containerPort: parseInt32Flag(port, { flag: '--port', command: COMMAND }) }];
	const containers = images.map((image, index) => ({
		name: containerName(image),
		image,
		...(command.length > 0 && { command }),
		...(index === 0 && ports.length > 0 && { ports }),
		resources: {},
	}));
	const spec = {
		replicas: parseInt32Flag(replicas, { flag: '-r, --replicas', command: COMMAND }),
		selector: { matchLabels: labels },
		template: { metadata: { labels }, spec: { containers } },
	};
	const manifest = { metadata: { name, labels }, spec };
	const failure = 'failed to create deployment: ';
	return createNew(context, { definition: deployments, manifest, failure }, flags);
}

/** The last part of the image's name, without tag and digest; with a suffix if it has to be changed to be a valid name. */
function containerName(image: string): string {
	const [name = ''] = image.slice(image.lastIndexOf('/') + 1).split(/[:@]/);
	if (!/[_.]/.test(name)) return name;
	return `${name.replaceAll(/[_.]/g, '-')}-${nameSuffix(new SystemRandom())}`;
}
