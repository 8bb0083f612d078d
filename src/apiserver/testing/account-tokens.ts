/** Accounts and tokens for tests of a server without controllers. */

import type { ApiResponse } from '../../api/contract/transport.ts';
import { isRecord } from '../../base/json/json.ts';
import type { TestServer } from './server-contract-suite.ts';

const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts';

/** Creates the ServiceAccount in the namespace `default`, and resolves to its UID. */
export async function createAccount(
	{ server }: TestServer,
	name: string,
	fields: object = {},
): Promise<string> {
	const body = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name }, ...fields };
	const { object } = await server.request({ method: 'POST', path: ACCOUNTS, body });
	return uidOf(object);
}

/** Requests a token of the account with this spec. */
export function requestToken(
	{ server }: TestServer,
	name: string,
	{ spec = {}, metadata = {} }: { readonly spec?: object; readonly metadata?: object } = {},
): Promise<ApiResponse> {
	const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata, spec };
	return server.request({ method: 'POST', path: `${ACCOUNTS}/${name}/token`, body });
}

/** Resolves to a token of the account with this spec. */
export async function tokenOf(opened: TestServer, name: string, spec: object = {}): Promise<string> {
	const { object } = await requestToken(opened, name, { spec });
	const status = isRecord(object) && isRecord(object.status) ? object.status : {};
	return String(status.token);
}

/** The UID of an object in a response. */
export function uidOf(object: unknown): string {
	const metadata = isRecord(object) && isRecord(object.metadata) ? object.metadata : {};
	return String(metadata.uid);
}
