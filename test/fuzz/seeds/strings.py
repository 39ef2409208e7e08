import asyncio
async def f():
	async with asyncio.timeout(1):
		s = '''a
  b
'''
		r = f"""{await asyncio.sleep(1, 'x')}
"""
		await asyncio.wait_for(g('''
keep
'''), 1) \
			 or 0
	def h(): pass
