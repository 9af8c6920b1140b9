// A bare relay as a process: `node test/bench/load/relay.ts PORT ENGINE`.
import { createRelay } from './relay-server.ts';

const [port = '0', engine = ''] = process.argv.slice(2);
createRelay(engine).listen(Number(port), '127.0.0.1');
