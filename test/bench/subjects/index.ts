// All that is measured. A new one is a file and a line here.
import type { Subject } from '../subject.ts';
import { direct, haproxy, nginx, nodeRelay } from './plain-proxies.ts';
import { switchyard } from './switchyard.ts';

const own = [switchyard({ name: 'Switchyard' }), switchyard({ name: 'Switchyard, Redis', redis: true })];

export const everySubject: readonly Subject[] = [direct, nginx, haproxy, nodeRelay, ...own];

export const quickSubjects: readonly Subject[] = [direct, nginx, switchyard({ name: 'Switchyard' })];
