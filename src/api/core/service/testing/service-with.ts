import { decode } from '../../../schema/decode.ts';
import { services } from '../definition.ts';
import { type Service, serviceSchema } from '../schema.ts';

/** A Service `web` with these parts, decoded and defaulted. */
export function serviceWith(spec: object, status: object = {}, metadata: object = {}): Service {
	const json = {
		apiVersion: 'v1',
		kind: 'Service',
		metadata: { name: 'web', namespace: 'default', uid: 'u', resourceVersion: '1', ...metadata },
		spec,
		status,
	};
	return services.defaults(decode(serviceSchema, json).value);
}
