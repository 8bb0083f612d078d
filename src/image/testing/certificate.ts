import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A self-signed certificate for a host, in PEM; undefined if openssl is not installed. */
export function makeCertificate(name: string): { readonly cert: string; readonly key: string } | undefined {
	if (spawnSync('openssl', ['version']).error) return undefined;
	const folder = mkdtempSync(join(tmpdir(), 'stint-registry-tls-'));
	const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
	const request = [
		'req',
		'-x509',
		'-newkey',
		'ec',
		'-pkeyopt',
		'ec_paramgen_curve:prime256v1',
		'-nodes',
		'-days',
		'2',
	];
	const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
	execFileSync('openssl', [...request, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
	const read = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
	rmSync(folder, { recursive: true });
	return read;
}
