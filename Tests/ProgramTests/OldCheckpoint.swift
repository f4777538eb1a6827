import Foundation

/// A checkpoint that the program wrote when all data had ten classes (commit aec6265, `--max-steps 5`), on a Zen with 8 lanes.
enum OldCheckpoint {
  static let arguments = [
    "train", "--model", "mlp:16-10", "--global-batch", "8", "--microbatch", "2", "--epochs", "4",
  ]

  /// The data that it was trained on: 24 training and 10 test images of 4 × 4.
  static func writeDataset(to directory: String) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for (part, count) in [("train", 24), ("t10k", 10)] {
      try SmallSet.file([0, 0, 8, 3], [count, 4, 4], (0..<count * 16).map { UInt8(($0 * 2_654_435_761) >> 7 & 255) })
        .write(to: URL(fileURLWithPath: "\(directory)/\(part)-images-idx3-ubyte"))
      try SmallSet.file([0, 0, 8, 1], [count], (0..<count).map { UInt8($0 * 7 % 10) })
        .write(to: URL(fileURLWithPath: "\(directory)/\(part)-labels-idx1-ubyte"))
    }
  }

  static let base64 = """
    GAcAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJzaGEyNTYiOiI1MTlkNDQwYzkzNjU4NTliZTBhNjRjOTFiNTJmNmVjMjhmNDE1M2NkMmJiMDlk
    ZmM5ODg4YjhiNDk3ZjQ2YmM4IiwiY2hlY2twb2ludF92ZXJzaW9uIjoiMSIsImVwb2NoIjoiMSIsInNhbXBsZV9vZmZzZXQiOiIxNiIsInN0
    ZXAiOiI1Iiwic2VlZCI6IjAiLCJ3ZWlnaHRzX2RpZ2VzdCI6ImJkZDk3N2YxMmI0ZmI4MGExNzBmOWRiNDVhZTQ3OGM4NDUwYTYxYjlhYzJh
    ODNmZWQ2NzA2YTY0YzU0OTRjZDQiLCJyZWNpcGUubW9kZWwiOiJtbHA6MTYtMTAiLCJyZWNpcGUudGFzayI6ImNsYXNzaWZ5IiwicmVjaXBl
    LmVwb2NocyI6IjQiLCJyZWNpcGUuZ2xvYmFsX2JhdGNoIjoiOCIsInJlY2lwZS5taWNyb2JhdGNoIjoiMiIsInJlY2lwZS5vcHRpbWl6ZXIi
    OiJhZGFtIiwicmVjaXBlLmxlYXJuaW5nX3JhdGUiOiIwLjAwMSIsInJlY2lwZS5zY2hlZHVsZSI6ImNvbnN0YW50IiwicmVjaXBlLnNlZWQi
    OiIwIiwicmVjaXBlLnJlZHVjdGlvbiI6ImxvY2tzdGVwIiwicmVjaXBlLnRyYWluaW5nX2RhdGEiOiI1ZWEwMTFhOWU1ZTEzNjUyN2I3MGI0
    MGRiZjNkMzVmZGMyZmU3OTI2OGVkMjI5ZGVhZWUyMjYyMmE4MDBiYjVkIiwicmVjaXBlLnRlc3RfZGF0YSI6ImU2MDRlY2RhZmNhZjhlNDY1
    MTJhZjNhYzhhM2QxNWJhMTE5Mjg3YjI4ZjRkYjkyNTMxZjVkYjdmODg1NzdhNzgiLCJyZWNpcGUua2VybmVscyI6Ilplbi84IGxhbmVzIiwi
    cmVjaXBlLnByb2dyYW0iOiIwLjEuMCIsInNoYTI1Ni5kZW5zZTEud2VpZ2h0cyI6IjkyYzg5ZGJiYzBjYzFkM2YwOTY1M2E3NDc0ZTdiYTRj
    YTU1N2RhODc3OWM3ZGI0ODdhZTc0ODkyYTYxNGFjOGYiLCJzaGEyNTYuZGVuc2UxLmJpYXMiOiJlODY5YmJkZTI4MWE0ZWQxOGIwNGYyNDBm
    ZDk1NWQyZjdlYWYzYzhjY2IyZjU0OGFkNjk2YjUzMmJjZjVmY2EyIiwic2hhMjU2Lm9wdGltaXplci5tLmRlbnNlMS53ZWlnaHRzIjoiY2I0
    MDVlNTM3OGUzODBlMzE2MzM5NDAzYTAxYTVmZGE2NDFlMzZhMDA4NTVhZmM4YjQ3MDY5MTAzZmM4NmMyYiIsInNoYTI1Ni5vcHRpbWl6ZXIu
    bS5kZW5zZTEuYmlhcyI6ImI0ZTQ1ZTg4MjgxOTkzMjZlMDI4YTI4OGMwMmIxY2JhNGM1MWQzMjA1NmEyYTUwYjJkNGZiNTdhNTJlN2ZiMjYi
    LCJzaGEyNTYub3B0aW1pemVyLnYuZGVuc2UxLndlaWdodHMiOiIxNzFiYzIwZDZlMTBjOWU3YjlkZGM1ZjFiNjU1ZDE4MTM5YWZmMmE4ZTUy
    YjMxM2U1NTQ1OWFhZGFlMWVhMjEzIiwic2hhMjU2Lm9wdGltaXplci52LmRlbnNlMS5iaWFzIjoiMTJlYzllODgzOWIxODgyY2JhMzA4ZjQz
    M2M5ZTA4YmFiZmM1ZDI4NzIxYmFlNjA0NmE3NzgyM2E1MWMyOWMyOCJ9LCJkZW5zZTEud2VpZ2h0cyI6eyJkdHlwZSI6IkYzMiIsInNoYXBl
    IjpbMTAsMTZdLCJkYXRhX29mZnNldHMiOlswLDY0MF19LCJkZW5zZTEuYmlhcyI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMTBdLCJkYXRh
    X29mZnNldHMiOls2NDAsNjgwXX0sIm9wdGltaXplci5tLmRlbnNlMS53ZWlnaHRzIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsxMCwxNl0s
    ImRhdGFfb2Zmc2V0cyI6WzY4MCwxMzIwXX0sIm9wdGltaXplci5tLmRlbnNlMS5iaWFzIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsxMF0s
    ImRhdGFfb2Zmc2V0cyI6WzEzMjAsMTM2MF19LCJvcHRpbWl6ZXIudi5kZW5zZTEud2VpZ2h0cyI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpb
    MTAsMTZdLCJkYXRhX29mZnNldHMiOlsxMzYwLDIwMDBdfSwib3B0aW1pemVyLnYuZGVuc2UxLmJpYXMiOnsiZHR5cGUiOiJGMzIiLCJzaGFw
    ZSI6WzEwXSwiZGF0YV9vZmZzZXRzIjpbMjAwMCwyMDQwXX19ICAgICAgfjanvdCsyj47pkm9hMjmvlepiL18+cI+N7LvPvIgz73XFsa+yLfj
    PJiuM77Z5q48Exf/PRWOaD519c2+/aj5ve/eSz618h099p22vgbns70muS0+AMyBvpJI7j4n4k487E/Pvcq7Nj4EXDe+N+zDvSXk9r0TBNq+
    hx8bPZvxrb7s/5y+dOnmvpKbGr4M288+ISbjvqIwlb1Ysvw4GmPJvpQW1D6KNYg+KORivdANi71mR2I+3wWxPkL6xj5fA2m+zYeEvjYyez64
    vMY+odu6vgmwb74ClhW+YTDjPmY4XD6ty1g+l9fuPpIG+L52QJs91JIOvpblWL4g4sk+SVKbPgOucz42gTq9fJ66vgR8zD5YAEE945+/Pmt6
    Lr0qhMC+eFuavYbAsj5GeHC+anZHvtn4kT2ffUw+4yViPLxkND4T2dO+/njgvk2iND5eq3k+LQbrvd3aOD6OoNa+/V6FPbwBFr7BtNM+rXnG
    voGbSr6blZO+8CwBvIAkub6e+aa+/NGNPnlYPD6WJ+i9l+TwvsCQiL1bCUM+hhRjvvH5Yr4iN7O+t1KyPmExAz52BXW9R5fJvq8sVDzTo8e9
    XdmYvk+rCD4dQLO+1Fazvha1Er6eMug8WOSYPngOBr75eJy80Fq2vL2IWjyEZ9M8dCREvkvgnT70RRU+Y8FdvlEzZL7bFKo+erGIviaUjb5x
    v7c+OSXiPmwOBD7kl4c+UmjWPhzv076MxPO9dR4oPsNsfDzbHOY90PLuvr2R5z4q8FG+egwQPahGjj4yPWC8LZCXvtaMO76wSvo8GGKoPfDT
    vz734YM+ZN8DPn+Mwb5cE6a9f9aGPhxR073Xjeg9/uSOPhUhwzocd3Y7vPviumdpervsg6o6KhggO4koUjoMJDA7/ClpuzMXgbsUm3g8WnQQ
    PCqQGjwUDyK8alMPvL1zZrzQxVm84kJEvLEdO7ygZfe7alWvuy4xkbuVoI27zpJXuheTDToU7Dg7Od0Avad447zuidG8bhq4vHwipLz7zom8
    ILRsvJmsP7zE/hq8h2K6u+1xP7vhT1O6nX10OmodgLx9jku8X2MWvO9rOzxdK1M8EWtSPAXAaDxfX2Q8nAGEPLe25ju0oxk8+MqZOrEI0Tsa
    TAc8+SQGPEby6Tu2Iyc8ogcrPCCaKzyKrUU84T+ou6aln7sK9367sJhau9SHTzpE9gU7hvKrO79jujv5TC48SpBDPHbRRzwWEjg8ZtiNPC0E
    qTyTubw8fNHBOlyJoTtM27g7Fi0NPAeDGjzrhkM8FdhKPM+waTyMs3o8srCfOn9qfDsK8Fm7EiBqu8bmUTv/XXe8IPtFvLretjup5ew7LRKf
    udLINzrnxhO8etADvP5S/LtBwNy7vdDNuyolnbtJzYa77r92u+oJbbsPlQK72luhuvAz/bhHlpG83kp8vCIAarynu1G8x/g6vIJmGLx0NgW8
    UrHGuxEhnLsQSLG51zr6OoE6TDsWEIQ7WAD2O5eKGzzNEx683IMAvGv4jbsdT/26+f/QOqRHjjvuZDe8wrwOvO+u5LxkyM+81OEvvRWJIL0C
    mha9Ag8PvXcn/LxywOS8K7rLvDdUnzshEgk8w38KPBq3Rjwxf0k86JtmPMhMXDyeumk8bL5aPLonizzrv5w8YnKYPF4EijwpYKY8J0a4PI7f
    wjwxOtQ79G4qPJ+gLTyYfEE8z3hNPIlHhzxvTI483v6tPHdksjypuNU84afUO4Lv5Dvn5cw7hGYYvIDO4rvJTIq7/vz0uuSvD73d8Kk8YW+n
    PIfwfjsPzE+75cyNvNp1GL1HaQo901CBPAPfJTe9Vzg3V94rN/TbsjcCSZI3jR8tOG2BHjjBLAk4/XP5N8a73TdaFcU3Kr+RN43Cdjcd30E3
    NWAHN7vC8ja23Ek4S9AyOALQFzgid/Y3OHLVN45UnjczlWo37bc6N4KNAjfM/qQ2FBxONq0V9zUIR581gtHsNzHjzjc8cKU34ubnNooa+zY5
    qOM25KgBNyba6DarByI3NxmNN/pLjjcbGiY4AkEROE4Z6zf6s9g3pCy8N+lwqTec2J83wuSNN0IYXjfzE942Ac4NN4GTDjchOvA2njppN70u
    OTc9BBE3P2PzNmTz8jar5ug2cdYLN/n06DakbVM3z+yUN9Xtmjeiv3o3hNWIN+3VSzdEww03rBQWNyIFAjdVkPc2meMKN/dHFDf/tWU3GQpa
    Nw+LlDflvYc3El1CN+Cb5Dcsx9c3JIvHNVlM2jXPy0U3TX4oN6q7mTdeV4I3AFRrNxrdRzfu9DA31CYZN7XUBjeXwdw21ai5Nvw9mjbmHXc2
    nHcwNnUi8Tc68cs3QreyN4zanDdPXIE3Lh9QN64cJDdJqwI31g+/NsEXWjYXZjI2RWAONoTn0zUhrRQ21i5NNpZcqzfCozY39HvZNn7IpjZi
    CGk2FtctNtLlWjcqKVA3g4ACOLNd4zeRSLY4s9OeOM4CjTiE/nw4u4lVOEWBMzhG5hI4mN0qOAiR7zexoug3uZkNOJ600TctG+A30QXJNzbK
    qTfrBJI3562ON/vepzd3VZw3BbV7N1rQnDd0+783sd2qN873oDcQJ6I3MrCGN1fHUjfy4Vk3B7KHN/ugeTdXHI43wnCKN0VhtzecMpg3cneW
    N4kCgjcHkQc488u+NzfbzDdZl0Y4q/ilOPPAXzgCP/o3Eef7Ny6PoTceaEk41sWkOJM6tDirwmQ4
    """
}
