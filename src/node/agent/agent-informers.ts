import { pods } from '../../api/core/pod/definition.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { services } from '../../api/core/service/definition.ts';
import type { Service } from '../../api/core/service/schema.ts';
import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Client } from '../../client/client.ts';
import { Informer } from '../../client/informer.ts';
import { BY_UID } from '../../client/informers.ts';
import type { Machine } from '../../plan/node/node-status.ts';
import { BY_NAMESPACE } from '../pods/container-starter.ts';

/** What the informers of a node agent are made from. */
export interface InformerParts {
	readonly client: Client;
	readonly clock: Clock;
	readonly random: Random;
	readonly machine: Machine;
	readonly onError: (key: string, error: unknown) => void;
}

/** The Pods that are bound to the node, with the index by UID. */
export function boundPods({ client, clock, random, machine, onError }: InformerParts): Informer<Pod> {
	return new Informer<Pod>(client.resource(pods), {
		clock,
		random,
		narrow: { fieldSelector: `spec.nodeName=${machine.name}` },
		indexes: { [BY_UID]: ({ metadata }) => [metadata.uid ?? ''] },
		onError: (error) => onError('pods', error),
	});
}

/** All Services, with the index by namespace. */
export function allServices({ client, clock, random, onError }: InformerParts): Informer<Service> {
	return new Informer<Service>(client.resource(services), {
		clock,
		random,
		indexes: { [BY_NAMESPACE]: ({ metadata }) => [metadata.namespace ?? ''] },
		onError: (error) => onError('services', error),
	});
}
